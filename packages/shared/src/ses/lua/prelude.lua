-- Shared by the scripts of the account's stream.

-- Redis's own time, ms with fractions.
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + t[2] / 1000
end

-- How much slower than its rate the stream is, from what the last throttled answer left: back to 1 in a minute.
local function factor_at(now, slowdown_key)
  local slowdown = redis.call('HMGET', slowdown_key, 'factor', 'at')
  local at = tonumber(slowdown[2] or 0)
  return math.min(1, tonumber(slowdown[1] or 1) + (now - at) / 60000), at
end

-- Moves the next free place; its key lives for as long as it says anything.
local function move_free(key, now, free)
  redis.call('SET', key, string.format('%.3f', free), 'PX', math.ceil(free - now) + 1000)
end
