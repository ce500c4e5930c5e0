-- Takes a chunk's counts of outcomes into the run's. The version says whether they are newer than what is known, so that
-- they may come twice, late and in any order.
-- KEYS record, outcomes (hash: chunk -> version and counts, separated by spaces), history   ARGV chunk, version, then name, count...
-- Returns 1, or -1 when there is no such run (any more).
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local old = {}
for number in (redis.call('HGET', KEYS[2], ARGV[1]) or ''):gmatch('%d+') do old[#old + 1] = tonumber(number) end
if tonumber(ARGV[2]) <= (old[1] or 0) then return 1 end
local packed = {ARGV[2]}
for i = 3, #ARGV, 2 do
  packed[#packed + 1] = ARGV[i + 1]
  local change = tonumber(ARGV[i + 1]) - (old[#packed] or 0)
  if change ~= 0 then redis.call('HINCRBY', KEYS[1], ARGV[i], change) end
end
redis.call('HSET', KEYS[2], ARGV[1], table.concat(packed, ' '))
remember(KEYS[3], fields_of(KEYS[1], {'created_at', unpack(HISTORY)}))
expire_with(KEYS[1], KEYS[2])
expire_with(KEYS[1], KEYS[3])
return 1
