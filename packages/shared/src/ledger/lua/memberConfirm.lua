-- Is the member still in the set, on the server that now answers for it? Written once more, as fieldConfirm does; a member that
-- is there already would be no write.
-- KEYS set   ARGV member
-- Returns 1 when it is, 0 when the server has lost it (a failover, a crash).
if redis.call('SREM', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('SADD', KEYS[1], ARGV[1])
return 1
