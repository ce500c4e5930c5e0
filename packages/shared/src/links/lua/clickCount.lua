-- Counts a click: a scanner's at once, a person's when the visit is over, since only then it shows whether it was one.
-- Judges a few visits that are over on the way, so nobody has to come round for it.
-- KEYS base:runs   ARGV base, link, visitor ('' for a known scanner), run ('' where the link does not say it), ttl (ms)
-- Returns 1, or 0 when the campaign has sent nothing that could have been clicked.
local base, link, visitor, run, ttl = unpack(ARGV)
judge(base, 8, ttl)

-- A link without a token does not say which mail it was in: most likely the newest one that had it.
if run == '' then
  local runs = redis.call('ZREVRANGE', KEYS[1], 0, 99)
  run = runs[1] or ''
  for _, candidate in ipairs(runs) do
    if redis.call('HEXISTS', base .. ':' .. candidate .. ':links', link) == 1 then run = candidate break end
  end
end
if run == '' or redis.call('EXISTS', base .. ':' .. run .. ':links') == 0 then return 0 end

local number = redis.call('HGET', base .. ':' .. run .. ':links', link) or '-'
local now = now_ms()
local hour = string.format('%d', math.floor(now / 3600000))
local visit = run .. ' ' .. visitor
local known = visitor ~= '' and redis.call('HGET', base .. ':visited', visit) or ''
if visitor == '' or #known > MAX_VISIT then
  count(base, run, number, hour, 'scanner', ttl)
else
  redis.call('ZADD', base .. ':visits', 'NX', now, visit)
  redis.call('HSET', base .. ':visited', visit, known .. number .. ':' .. hour .. ' ')
end
return 1
