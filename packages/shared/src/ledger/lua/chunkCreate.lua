-- Creates a chunk, unless it is there: the first freezer's content stands, a second one must read it.
-- KEYS states, version, recipients, journal   ARGV letters of the states, recipients (compressed), journal entries ('': none)
-- Returns 1 when created, 0 when it was there.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], 1)
redis.call('SET', KEYS[3], ARGV[2])
if ARGV[3] ~= '' then redis.call('RPUSH', KEYS[4], ARGV[3]) end
return 1
