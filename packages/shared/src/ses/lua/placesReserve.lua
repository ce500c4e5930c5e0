-- Reserves places in the account's stream of recipients, for all workers together: an evenly spaced queue (GCRA without a
-- burst), as far as the day's quota goes.
-- KEYS next free time (ms), slowdown (hash: factor, at), quota left, places by time (hash: time slot -> places)
-- ARGV places, recipients a second, length of a time slot (ms), slots in the quota's window
-- Returns {places, wait for the first one (ms), between two (ms)}; 0 places: the quota is used up.
local now = now_ms()
local places = tonumber(ARGV[1])

local stream = redis.call('MGET', KEYS[1], KEYS[3])
local next_free, left = tonumber(stream[1] or 0), stream[2]
if left then places = math.min(places, math.max(0, tonumber(left))) end
if places <= 0 then return {0, 0, '0'} end
if left then redis.call('DECRBY', KEYS[3], places) end

local interval = 1000 / (tonumber(ARGV[2]) * factor_at(now, KEYS[2]))
local free = math.max(now, next_free)
move_free(KEYS[1], now, free + places * interval)

-- A new slot takes the place of those that have left the window.
local slot = math.floor(now / ARGV[3])
if redis.call('HINCRBY', KEYS[4], slot, places) == places then
  for _, other in ipairs(redis.call('HKEYS', KEYS[4])) do
    if tonumber(other) < slot - ARGV[4] then redis.call('HDEL', KEYS[4], other) end
  end
  redis.call('PEXPIRE', KEYS[4], ARGV[3] * (ARGV[4] + 1))
end
return {places, math.ceil(free - now), string.format('%.4f', interval)}
