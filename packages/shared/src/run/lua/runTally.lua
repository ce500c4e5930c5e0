-- Takes a chunk's numbers into the run's. The chunk's version says whether they are newer than what is known, so that
-- numbers may come twice, late and in any order.
-- KEYS record, chunks (hash: chunk -> numbers, separated by spaces), refusals, history
-- ARGV now (ms), 1 when a row of refusals ends with this, chunk, version, then the numbers by state, in the order of the names that follow, names
-- Returns 'cancelled', 'paused' or 'open': what a worker may do next; 'foreign' when the run was frozen without this chunk;
-- -1 when there is no such run (any more).
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local frozen_chunks = redis.call('HMGET', KEYS[1], 'frozen_at', 'chunks')
if frozen_chunks[1] and tonumber(ARGV[3]) >= tonumber(frozen_chunks[2]) then return 'foreign' end
if ARGV[2] == '1' then redis.call('DEL', KEYS[3]) end
local states = (#ARGV - 4) / 2
local known = redis.call('HGET', KEYS[2], ARGV[3])
local old = {}
if known then
  for number in known:gmatch('%d+') do old[#old + 1] = tonumber(number) end
end

if not known or tonumber(ARGV[4]) > old[1] then
  local packed, news = {ARGV[4]}, 0
  for i = 1, states do
    local number = tonumber(ARGV[4 + i])
    packed[i + 1] = number
    local change = number - (old[i + 1] or 0)
    if change ~= 0 then redis.call('HINCRBY', KEYS[1], ARGV[4 + states + i], change) end
    news = news + change
  end
  -- Nobody reads an audience there: it is who has come.
  if news > 0 and redis.call('HGET', KEYS[1], 'origin') == 'messages' then
    redis.call('HINCRBY', KEYS[1], 'audience', news)
  end
  redis.call('HSET', KEYS[2], ARGV[3], table.concat(packed, ' '))
  redis.call('HSET', KEYS[1], 'touched_at', ARGV[1])
  remember(KEYS[1], KEYS[4])
end

local record = redis.call('HMGET', KEYS[1], 'frozen_at', 'queued', 'claimed', 'in_doubt', 'finished_at', 'cancelled_at', 'paused_at')
local is_open = not record[1] or tonumber(record[2] or 0) + tonumber(record[3] or 0) + tonumber(record[4] or 0) > 0
if is_open and record[5] then
  redis.call('HDEL', KEYS[1], 'finished_at')
elseif not is_open and not record[5] then
  redis.call('HSET', KEYS[1], 'finished_at', ARGV[1])
end
if record[6] then return 'cancelled' end
if record[7] then return 'paused' end
return 'open'
