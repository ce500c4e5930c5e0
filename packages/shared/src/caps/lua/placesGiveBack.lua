-- Gives a run's places back: nothing was sent.
-- KEYS hash of each person (of one shard)   ARGV run, digest of each person
-- Returns how many had one.
local given = 0
for i, key in ipairs(KEYS) do
  local digest = ARGV[1 + i]
  local rest, own = split(redis.call('HGET', key, digest) or '', ARGV[1], now_s(), LARGEST_AGE, 0)
  if own then
    given = given + 1
    if rest == '' then redis.call('HDEL', key, digest) else redis.call('HSET', key, digest, rest) end
  end
end
return given
