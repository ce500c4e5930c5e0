-- One event for some or all recipients of a chunk, from outside of a claim: evidence, confirm, resend, retry, cancel.
-- `resend` without an operator's word asks that the fence has passed.
-- KEYS states, version, doubts, journal   ARGV event, journal entry, oldest claim that may be moved (ms, 0: any), '*' or position...
-- Returns {tally, position that moved...}. What the table does not allow stays as it is.
local event, oldest = ARGV[1], tonumber(ARGV[3])
local states, version = unpack(redis.call('MGET', KEYS[1], KEYS[2]))
if not states then return redis.error_reply('NOCHUNK ' .. KEYS[1]) end
local letters = letters_of(states)
local moved = {}

local function move(position)
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
end

if ARGV[4] == '*' then
  for position = 0, #letters - 1 do move(position) end
else
  for i = 4, #ARGV do move(tonumber(ARGV[i])) end
end

if #moved == 0 then return {tally(states, version)} end
if ARGV[2] ~= '' then redis.call('RPUSH', KEYS[4], ARGV[2]) end
return {store(KEYS[1], KEYS[2], table.concat(letters)), unpack(moved)}
