-- What was noted from a time on.
-- KEYS set, horizon   ARGV from (ms), for how long notes are kept (ms)
-- Returns {now, {address…}, horizon}: after the horizon nothing is missing. Without a horizon nothing has come, and nothing
-- that came since then can have been forgotten: for who has read up to that time the horizon is where it was.
local now = now_ms()
local added = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], '+inf')
if #added == 0 and now - ARGV[1] < tonumber(ARGV[2]) then return {now, added} end
return {now, added, math.max(tonumber(redis.call('GET', KEYS[2]) or 0), now - ARGV[2])}
