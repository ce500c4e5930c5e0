-- Takes up to a number of queued recipients for one worker, lowest position first.
-- KEYS states, version, claims   ARGV claim id, limit, version that the worker has seen
-- Returns {claimed at (ms), tally, position...}; no position: nothing is queued.
-- The same claim id again gets the same claim: the client sends a command anew when the connection broke before the reply.
local states, version = unpack(redis.call('MGET', KEYS[1], KEYS[2]))
if not states then return redis.error_reply('NOCHUNK ' .. KEYS[1]) end

-- Versions only grow: these data are older than what was seen a moment ago.
if tonumber(version or 0) < tonumber(ARGV[3]) then return redis.error_reply('OLDERDATA ' .. KEYS[1]) end

local positions = {}
local from = 1
while #positions < tonumber(ARGV[2]) do
  local at = string.find(states, 'q', from, true)
  if not at then break end
  positions[#positions + 1] = at - 1
  from = at + 1
end

local claimed_at = now_ms()
if #positions > 0 and redis.call('HSETNX', KEYS[3], ARGV[1], claimed_at .. ' ' .. table.concat(positions, ',')) == 1 then
  local claimed = string.gsub(states, 'q', TO.claim, #positions)
  return {claimed_at, store(KEYS[1], KEYS[2], claimed), unpack(positions)}
end

-- Nothing is queued, or this came before.
local known = redis.call('HGET', KEYS[3], ARGV[1])
if not known then return {claimed_at, tally(states, version)} end
local known_at, held = known:match('^(%S+) (%S+)')
positions = {}
for position in held:gmatch('%d+') do positions[#positions + 1] = tonumber(position) end
return {tonumber(known_at), tally(states, version), unpack(positions)}
