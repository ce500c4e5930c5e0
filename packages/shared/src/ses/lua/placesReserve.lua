-- Reserves places in the account's stream of recipients, for all workers together: an evenly spaced queue (GCRA without a
-- burst), as far as the day's quota goes.
-- KEYS next free time (ms), slowdown (hash: factor, at), quota left, places by time (hash: ten minutes -> places)
-- ARGV places, recipients a second
-- Returns {places, wait for the first one (ms), between two (ms)}; 0 places: the quota is used up.
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local places = tonumber(ARGV[1])

local left = redis.call('GET', KEYS[3])
if left then places = math.min(places, math.max(0, tonumber(left))) end
if places <= 0 then return {0, 0, '0'} end
if left then redis.call('DECRBY', KEYS[3], places) end

-- After a throttled answer the stream is slower, and gets back to its pace in a minute.
local slowdown = redis.call('HMGET', KEYS[2], 'factor', 'at')
local factor = 1
if slowdown[1] then factor = math.min(1, tonumber(slowdown[1]) + (now - tonumber(slowdown[2])) / 60000) end
if slowdown[1] and factor == 1 then redis.call('DEL', KEYS[2]) end

local interval = 1000 / (tonumber(ARGV[2]) * factor)
local free = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
local next_free = free + places * interval
redis.call('SET', KEYS[1], string.format('%.3f', next_free), 'PX', math.ceil(next_free - now) + 1000)
redis.call('HINCRBY', KEYS[4], math.floor(t[1] / 600), places)
redis.call('EXPIRE', KEYS[4], 90000)
return {places, math.ceil(free - now), string.format('%.4f', interval)}
