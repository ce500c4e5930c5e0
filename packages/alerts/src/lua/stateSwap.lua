-- Puts a new state in the place of the one that it was made from, unless somebody else has been quicker.
-- KEYS state (hash: version, json)   ARGV version it was made from (0: none), json, time to live (ms)
-- Returns 1 when it is in place, 0 when another one is.
if tonumber(redis.call('HGET', KEYS[1], 'version') or 0) ~= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1] + 1, 'json', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
