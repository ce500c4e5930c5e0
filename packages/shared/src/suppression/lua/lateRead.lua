-- What was noted from a time on.
-- KEYS set, horizon   ARGV from (ms), for how long notes are kept (ms)
-- Returns {now, horizon, {address…}}: after the horizon nothing is missing.
local now = now_ms()
local horizon = math.max(tonumber(redis.call('GET', KEYS[2]) or 0), now - ARGV[2])
return {now, horizon, redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], '+inf')}
