-- Creates a run's record, unless it is there. A run exists once, for as long as its record is kept.
-- KEYS record, snapshot   ARGV snapshot (compressed), then field, value...
-- Returns 1 when created, 0 when it was there.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 1
