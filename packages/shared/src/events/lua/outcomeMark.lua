-- Remembers outcomes of mails of a chunk: a bit each of the recipient's byte. An event that comes again changes nothing.
-- KEYS states, outcomes, counts (hash: name -> recipients, and a version)   ARGV (position, bit, name)...
-- Returns {{1 when it is new, else 0}..., name, count...}; nothing when there is no such chunk (any more).
local recipients = redis.call('STRLEN', KEYS[1])
if recipients == 0 then return {} end
local bytes = {string.byte(redis.call('GET', KEYS[2]) or '', 1, -1)}
local is_new, added, last = {}, {}, #bytes - 1
for i = 1, #ARGV, 3 do
  local position, flag, name = tonumber(ARGV[i]), tonumber(ARGV[i + 1]), ARGV[i + 2]
  local byte = bytes[position + 1] or 0
  local is_news = position < recipients and bit.band(byte, flag) == 0
  is_new[#is_new + 1] = is_news and 1 or 0
  if is_news then
    for gap = last + 1, position - 1 do bytes[gap + 1] = 0 end
    last = math.max(last, position)
    bytes[position + 1] = bit.bor(byte, flag)
    added[name] = (added[name] or 0) + 1
  end
end

if next(added) then
  redis.call('SET', KEYS[2], string.char(unpack(bytes)), 'KEEPTTL')
  for name, count in pairs(added) do redis.call('HINCRBY', KEYS[3], name, count) end
  redis.call('HINCRBY', KEYS[3], 'version', 1)
  local left = redis.call('PTTL', KEYS[1])
  if left > 0 then
    redis.call('PEXPIRE', KEYS[2], left)
    redis.call('PEXPIRE', KEYS[3], left)
  end
end
return {is_new, unpack(redis.call('HGETALL', KEYS[3]))}
