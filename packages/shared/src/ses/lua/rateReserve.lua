-- Reserves places in the account's stream of recipients, for all workers together: an evenly spaced queue (GCRA without
-- a burst). A throttled answer pushes the stream back for everybody.
-- KEYS next free time (ms)   ARGV places, recipients a second, push back (ms)
-- Returns how long the caller waits for its first place (ms).
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local free = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0)) + tonumber(ARGV[3])
local next_free = free + tonumber(ARGV[1]) * 1000 / tonumber(ARGV[2])
redis.call('SET', KEYS[1], string.format('%.3f', next_free), 'PX', math.ceil(next_free - now) + 1000)
return math.ceil(free - now)
