-- Shared by the scripts of a campaign's clicks. All of its keys are in one slot, BASE = PREFIX:1:{links:CAMPAIGN}:
--   BASE:runs            sorted set: run -> scheduled time (ms)
--   BASE:visits          sorted set: "RUN VISITOR" -> time of the visit's first click (ms); not judged yet
--   BASE:visited         hash: "RUN VISITOR" -> "LINK:HOUR " for each click
--   BASE:RUN:links       hash: link -> number, from 0
--   BASE:RUN:clicks      hash: "NUMBER HOUR human|scanner" -> count; number "-": none of the links that were sent
--   BASE:RUN:visitors    HyperLogLog of those who clicked

-- A visit is over, and judged, this long after its first click (ms). A person does not open everything within it.
local VISIT_MS = 5000
-- Characters that a visit is noted with: some 200 clicks in five seconds are no person's.
local MAX_VISIT = 2000
-- Fields of a run's clicks: beyond, hours are not told apart any more. Whoever asks for the moon gets one bucket of it.
local MAX_FIELDS = 20000

local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function count(base, run, link, hour, kind, ttl)
  local key = base .. ':' .. run .. ':clicks'
  local field = link .. ' ' .. hour .. ' ' .. kind
  if redis.call('HLEN', key) >= MAX_FIELDS and redis.call('HEXISTS', key, field) == 0 then
    field = link .. ' later ' .. kind
  end
  if redis.call('HINCRBY', key, field, 1) == 1 then redis.call('PEXPIRE', key, ttl) end
end

-- All links of a mail, or as many as nobody reads at once, within one visit: a scanner follows them. A mail with one link
-- gives nothing away.
local function is_burst(base, run, links)
  local sent = redis.call('HLEN', base .. ':' .. run .. ':links')
  return links >= 2 and (links >= sent or links >= 5)
end

-- Judges visits that are over, oldest first; at most so many.
local function judge(base, most, ttl)
  local over = redis.call('ZRANGEBYSCORE', base .. ':visits', '-inf', now_ms() - VISIT_MS, 'LIMIT', 0, most)
  for _, visit in ipairs(over) do
    local run, visitor = visit:match('^(%S+) (%S+)$')
    local clicks = redis.call('HGET', base .. ':visited', visit) or ''
    local different, links = {}, 0
    for link in clicks:gmatch('(%S+):') do
      if not different[link] then different[link], links = true, links + 1 end
    end
    local kind = is_burst(base, run, links) and 'scanner' or 'human'
    for link, hour in clicks:gmatch('(%S+):(%S+)') do count(base, run, link, hour, kind, ttl) end
    if kind == 'human' then
      redis.call('PFADD', base .. ':' .. run .. ':visitors', visitor)
      redis.call('PEXPIRE', base .. ':' .. run .. ':visitors', ttl)
    end
    redis.call('ZREM', base .. ':visits', visit)
    redis.call('HDEL', base .. ':visited', visit)
  end
  return #over
end
