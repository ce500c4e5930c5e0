-- Ends the freezing: the audience stands. The first freezer that gets here decides, a second one changes nothing.
-- KEYS record, invalid rows, chunks   ARGV now (ms), invalid rows (compressed), number of chunks, then field, value...
-- Returns 1 when this call froze the run, 0 when it was frozen, 2 when another freezer has added chunks
-- meanwhile, -1 when there is no such run.
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if redis.call('HEXISTS', KEYS[1], 'frozen_at') == 1 then return 0 end
if redis.call('HLEN', KEYS[3]) > tonumber(ARGV[3]) then return 2 end
redis.call('HSET', KEYS[1], 'frozen_at', ARGV[1], 'chunks', ARGV[3], unpack(ARGV, 4))
redis.call('SET', KEYS[2], ARGV[2])
return 1
