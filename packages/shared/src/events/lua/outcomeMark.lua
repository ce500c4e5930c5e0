-- Remembers an outcome of a recipient's mail: a bit of the recipient's byte. An event that comes again changes nothing.
-- KEYS states, outcomes, counts (hash: name -> recipients, and a version)   ARGV position, bit, name
-- Returns {1 when it is new, name, count...}; nothing when there is no such recipient (any more).
local states = redis.call('STRLEN', KEYS[1])
local position = tonumber(ARGV[1])
if position >= states then return {} end
local byte = string.byte(redis.call('GETRANGE', KEYS[2], position, position)) or 0
local is_new = bit.band(byte, tonumber(ARGV[2])) == 0
if is_new then
  redis.call('SETRANGE', KEYS[2], position, string.char(bit.bor(byte, tonumber(ARGV[2]))))
  redis.call('HINCRBY', KEYS[3], ARGV[3], 1)
  redis.call('HINCRBY', KEYS[3], 'version', 1)
  local left = redis.call('PTTL', KEYS[1])
  if left > 0 then
    redis.call('PEXPIRE', KEYS[2], left)
    redis.call('PEXPIRE', KEYS[3], left)
  end
end
return {is_new and 1 or 0, unpack(redis.call('HGETALL', KEYS[3]))}
