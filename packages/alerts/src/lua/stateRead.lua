-- The state, and Redis's own time: what the deadline of a swap is measured by.
-- KEYS state (hash: version, json)
-- Returns version (or false), json (or false), now (ms)
local time = redis.call('TIME')
local state = redis.call('HMGET', KEYS[1], 'version', 'json')
return { state[1], state[2], time[1] * 1000 + math.floor(time[2] / 1000) }
