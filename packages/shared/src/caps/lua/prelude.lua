-- Shared by the scripts of frequency caps. A hash holds people of a group: digest -> entries, each 4 bytes of time (s) and
-- 5 bytes of a run. Its field '' holds three times of the hash itself: for how long entries are kept, since when nobody has
-- asked for longer, and when it was swept last (s).
local ENTRY = 9
local LARGEST_AGE = 4294967295

local function now_s()
  return tonumber(redis.call('TIME')[1])
end

-- What is left of a person's entries without those of a run, and without those that are too old for anybody.
-- Returns them, the time of the run's own (nil: none), and how many of the others are younger than the window.
local function split(entries, run, now, keep, window)
  local rest, own, count = {}, nil, 0
  for at = 1, #entries, ENTRY do
    local entry = entries:sub(at, at + ENTRY - 1)
    local time = struct.unpack('>I4', entry)
    if entry:sub(5) == run then
      own = time
    elseif now - time < keep then
      rest[#rest + 1] = entry
      if now - time < window then count = count + 1 end
    end
  end
  return table.concat(rest), own, count
end
