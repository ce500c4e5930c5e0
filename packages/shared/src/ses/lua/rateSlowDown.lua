-- SES has throttled a call: everybody waits a moment, and the stream gets a little slower. Several throttled answers at
-- nearly the same time are one sign.
-- KEYS next free time (ms), slowdown (hash: factor, at)   ARGV push back (ms), factor to slow down by, least factor
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local slowdown = redis.call('HMGET', KEYS[2], 'factor', 'at')
local factor, at = tonumber(slowdown[1] or 1), tonumber(slowdown[2] or 0)
if now - at < 500 then return 0 end
factor = math.min(1, factor + (now - at) / 60000)
factor = math.max(tonumber(ARGV[3]), factor * tonumber(ARGV[2]))
redis.call('HSET', KEYS[2], 'factor', factor, 'at', string.format('%.3f', now))
redis.call('PEXPIRE', KEYS[2], 120000)
local free = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0)) + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.3f', free), 'PX', math.ceil(free - now) + 1000)
return 1
