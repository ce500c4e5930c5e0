-- Takes a chunk's numbers into the run's. The chunk's version says whether they are newer than what is known, so that
-- numbers may come twice, late and in any order.
-- KEYS record, chunks (hash: chunk -> version, numbers, maybe when it is due; separated by spaces), refusals, history
-- ARGV now (ms), 1 when a row of refusals ends with this, chunk, version, when it is due (ms; 0: as known), then the numbers by state, in the order of the names that follow, names
-- Returns 'cancelled', 'paused' or 'open': what a worker may do next; 'foreign' when the run was frozen without this chunk;
-- -1 when there is no such run (any more).
local states = (#ARGV - 5) / 2
local names = {'campaign', 'origin', 'audience', 'created_at', 'frozen_at', 'chunks', 'delivered', 'bounced', 'finished_at', 'cancelled_at', 'paused_at'}
for i = 1, states do names[#names + 1] = ARGV[5 + states + i] end
local record = fields_of(KEYS[1], names)
if not record.campaign then return -1 end
if is_foreign(record, ARGV[3]) then return 'foreign' end
if ARGV[2] == '1' then redis.call('DEL', KEYS[3]) end

local changed = {}
local function change(name, value)
  record[name] = value
  changed[#changed + 1] = name
  changed[#changed + 1] = value
end

local old = {}
for number in (redis.call('HGET', KEYS[2], ARGV[3]) or ''):gmatch('%d+') do old[#old + 1] = tonumber(number) end
local is_news = tonumber(ARGV[4]) > (old[1] or -1)
if is_news then
  local packed, more = {ARGV[4]}, 0
  for i = 1, states do
    local name, number = ARGV[5 + states + i], tonumber(ARGV[5 + i])
    packed[i + 1] = number
    local difference = number - (old[i + 1] or 0)
    if difference ~= 0 then change(name, tonumber(record[name] or 0) + difference) end
    more = more + difference
  end
  -- Nobody reads an audience there: it is who has come.
  if more > 0 and record.origin == 'messages' then change('audience', tonumber(record.audience or 0) + more) end
  packed[states + 2] = ARGV[5] ~= '0' and ARGV[5] or old[states + 2] and string.format('%.0f', old[states + 2])
  redis.call('HSET', KEYS[2], ARGV[3], table.concat(packed, ' '))
  change('touched_at', ARGV[1])
end

local was_finished = record.finished_at
local is_open = not record.frozen_at or tonumber(record.queued or 0) + tonumber(record.claimed or 0) + tonumber(record.in_doubt or 0) > 0
if is_open and was_finished then redis.call('HDEL', KEYS[1], 'finished_at') end
if not is_open and not was_finished then change('finished_at', ARGV[1]) end
if #changed > 0 then redis.call('HSET', KEYS[1], unpack(changed)) end
if is_news then
  remember(KEYS[4], record)
  if was_finished then expire_with(KEYS[1], KEYS[4]) end
end

return gate_of(record)
