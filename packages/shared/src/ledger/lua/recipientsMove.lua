-- One event for some or all recipients of a chunk, from outside of a claim: evidence, confirm, resend, retry, cancel.
-- `resend` without an operator's word asks that the fence has passed.
-- KEYS states, version, doubts, journal   ARGV event, oldest claim that may be moved (ms, 0: any), '*' or (position, journal entry)...
-- Returns {tally, position that moved...}. What the table does not allow stays as it is.
local event, oldest = ARGV[1], tonumber(ARGV[2])
local states, version = unpack(redis.call('MGET', KEYS[1], KEYS[2]))
if not states then return redis.error_reply('NOCHUNK ' .. KEYS[1]) end
local letters = letters_of(states)
local moved, entries = {}, {}

local function move(position, entry)
  local from = letters[position + 1]
  if not from or not MAY[event][from] then return end
  if from == 'd' then
    local doubt = redis.call('HGET', KEYS[3], position)
    local claimed_at = doubt and tonumber(doubt:match('^%S+'))
    if oldest > 0 and not (claimed_at and claimed_at <= oldest) then return end
    redis.call('HDEL', KEYS[3], position)
  end
  letters[position + 1] = TO[event]
  moved[#moved + 1] = position
  entries[#moved] = entry
end

if ARGV[3] == '*' then
  for position = 0, #letters - 1 do move(position) end
else
  for i = 3, #ARGV, 2 do move(tonumber(ARGV[i]), ARGV[i + 1]) end
end

if #moved == 0 then return {tally(states, version)} end
if #entries > 0 then redis.call('RPUSH', KEYS[4], '[' .. table.concat(entries, ',') .. ']') end
return {store(KEYS[1], KEYS[2], table.concat(letters)), unpack(moved)}
