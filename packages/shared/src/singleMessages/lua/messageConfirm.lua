-- Is the record still there, on the server that now answers for it? Written once more, see ledger/lua/fieldConfirm.lua.
-- KEYS message   ARGV record
-- Returns 1 when it is, 0 when the server has lost it (a failover, a crash).
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'KEEPTTL')
return 1
