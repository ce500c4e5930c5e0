-- SES has throttled a call: everybody waits a moment, and the stream gets a little slower. Several throttled answers at
-- nearly the same time are one sign.
-- KEYS next free time (ms), slowdown (hash: factor, at)   ARGV push back (ms), factor to slow down by, least factor
-- Returns 1, or 0 when this was the same sign.
local now = now_ms()
local factor, at = factor_at(now, KEYS[2])
if now - at < 500 then return 0 end
redis.call('HSET', KEYS[2], 'factor', math.max(tonumber(ARGV[3]), factor * ARGV[2]), 'at', string.format('%.3f', now))
redis.call('PEXPIRE', KEYS[2], 60000)
local free = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
move_free(KEYS[1], now, free + ARGV[1])
return 1
