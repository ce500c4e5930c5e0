-- Takes a place for each person who has had fewer mails than the cap within its window. A run that has a place has it still,
-- and from now on: its mail goes out now.
-- KEYS hash of each person (of one shard)   ARGV window (s), how many it allows, run, digest of each person
-- Returns the index (from 0) of everyone who has had enough.
local now, window, max, run = now_s(), tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

-- The longest window that a campaign of the group has asked for lately: its entries are needed for so long.
local function times_of(packed)
  if not packed then return window, now, now end
  local keep, asked_at, swept_at = struct.unpack('>I4I4I4', packed)
  if window >= keep or now - asked_at > keep then return window, now, swept_at end
  return keep, asked_at, swept_at
end

-- Who gets no mails any more leaves entries behind. Looked for so seldom that it costs nothing.
local function sweep(key, keep)
  local people = redis.call('HGETALL', key)
  for i = 1, #people, 2 do
    local digest, entries = people[i], people[i + 1]
    if digest ~= '' and now - struct.unpack('>I4', entries:sub(-ENTRY)) >= keep then redis.call('HDEL', key, digest) end
  end
end

local full = {}
for i, key in ipairs(KEYS) do
  local digest = ARGV[3 + i]
  local known = redis.call('HMGET', key, '', digest)
  local keep, asked_at, swept_at = times_of(known[1])
  if now - swept_at > keep / 4 then
    sweep(key, keep)
    swept_at = now
  end
  local rest, own, count = split(known[2] or '', run, now, keep, window)
  local times = struct.pack('>I4I4I4', keep, asked_at, swept_at)
  local has_place = own and now - own < window
  if has_place or count < max then
    redis.call('HSET', key, '', times, digest, rest .. struct.pack('>I4', now) .. run)
  else
    full[#full + 1] = i - 1
    redis.call('HSET', key, '', times)
  end
  redis.call('EXPIRE', key, keep)
end
return full
