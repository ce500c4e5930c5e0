-- Is the claim still there, on the server that now answers for it? Written once more, so that this connection's WAITAOF or
-- WAIT covers it: both wait for the writes of their own connection.
-- KEYS claims   ARGV claim id
-- Returns 1 when it is, 0 when the server has lost it (a failover, a crash).
local claim = redis.call('HGET', KEYS[1], ARGV[1])
if not claim then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], claim)
return 1
