-- Is the field still there, on the server that now answers for it? Written once more, so that this connection's WAITAOF or
-- WAIT covers it, and all that was written before it: both wait for the writes of their own connection.
-- KEYS hash   ARGV field
-- Returns 1 when it is, 0 when the server has lost it (a failover, a crash).
local value = redis.call('HGET', KEYS[1], ARGV[1])
if not value then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], value)
return 1
