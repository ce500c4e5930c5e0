-- Reserves places in the account's stream of recipients, for all workers together: an evenly spaced queue (GCRA without a
-- burst), as far as the day's quota goes, and not too far ahead, so that nobody waits for long behind others.
--
-- Single messages go past that limit, within a share of the rate that a second stream of their own counts: behind a campaign
-- they wait for what is reserved, and a flood of them leaves the campaign the rest. What nobody else wants they may have too.
-- KEYS next free time (ms), slowdown (hash: factor, at), quota left, places by time (hash: time slot -> places), next free
-- time of the messages' share (ms)
-- ARGV places, recipients a second, length of a time slot (ms), slots in the quota's window, how far ahead (ms), share of the
-- messages (0: this is for a campaign)
-- Returns {places, wait for the first one (ms), between two (ms)}; 0 places: the quota is used up; -1: to be asked again
-- after the wait.
local now = now_ms()
local places = tonumber(ARGV[1])

local stream = redis.call('MGET', KEYS[1], KEYS[3], KEYS[5])
local next_free, left, share_free = tonumber(stream[1] or 0), stream[2], math.max(now, tonumber(stream[3] or 0))
if left then places = math.min(places, math.max(0, tonumber(left))) end
if places <= 0 then return {0, 0, '0'} end

local interval = 1000 / (tonumber(ARGV[2]) * factor_at(now, KEYS[2]))
local free = math.max(now, next_free)
local ahead, share = tonumber(ARGV[5]), tonumber(ARGV[6])
if share == 0 then
  if free - now >= ahead then return {-1, math.ceil(free - now - ahead) + 1, '0'} end
else
  -- A campaign that is at it keeps the stream filled further than to a quarter.
  local over_share, over_idle = share_free - now - ahead / 2, free - now - ahead / 4
  if over_share < 0 then
    move_free(KEYS[5], now, share_free + places * interval / share)
  elseif over_idle >= 0 then
    return {-1, math.ceil(math.min(over_share, over_idle)) + 1, '0'}
  end
end

if left then redis.call('DECRBY', KEYS[3], places) end
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
