-- Claims that have been silent for longer than the fence: what they still hold is in doubt. No request of theirs can be
-- accepted any more, since it would carry a date that SES refuses.
-- KEYS states, version, claims, doubts   ARGV fence (ms)
-- Returns {tally, age of the oldest claim that is left (ms, -1: none), position that is in doubt now...}.
local states, version = unpack(redis.call('MGET', KEYS[1], KEYS[2]))
if not states then return redis.error_reply('NOCHUNK ' .. KEYS[1]) end
local letters = letters_of(states)
local now, oldest, moved = now_ms(), -1, {}
local claims = redis.call('HGETALL', KEYS[3])

for i = 1, #claims, 2 do
  local claimed_at, positions = claims[i + 1]:match('^(%S+) (%S+)')
  local age = now - tonumber(claimed_at)
  if age <= tonumber(ARGV[1]) then
    oldest = math.max(oldest, age)
  else
    for position in positions:gmatch('%d+') do
      if letters[position + 1] == 'c' then
        letters[position + 1] = TO.doubt
        redis.call('HSET', KEYS[4], position, claimed_at .. ' ' .. claims[i])
        moved[#moved + 1] = tonumber(position)
      end
    end
    redis.call('HDEL', KEYS[3], claims[i])
  end
end

if #moved == 0 then return {tally(states, version), oldest} end
return {store(KEYS[1], KEYS[2], table.concat(letters)), oldest, unpack(moved)}
