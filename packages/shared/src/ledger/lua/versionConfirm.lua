-- Has the chunk still come this far, on the server that now answers for it? Written once more, as fieldConfirm does.
-- KEYS version   ARGV version
-- Returns 1 when it has, 0 when the server has lost it (a failover, a crash).
local version = redis.call('GET', KEYS[1])
if not version or tonumber(version) < tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], version, 'KEEPTTL')
return 1
