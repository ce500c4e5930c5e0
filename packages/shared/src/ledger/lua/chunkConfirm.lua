-- Is the chunk still there, on the server that now answers for it? Written once more, see claimConfirm.lua.
-- KEYS version
-- Returns 1 when it is, 0 when the server has lost it (a failover, a crash).
local version = redis.call('GET', KEYS[1])
if not version then return 0 end
redis.call('SET', KEYS[1], version, 'KEEPTTL')
return 1
