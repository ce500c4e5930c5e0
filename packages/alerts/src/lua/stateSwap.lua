-- Puts a new state in the place of the one that it was made from, unless somebody else has been quicker, or it comes so late
-- that whoever sent it has given up and counted elsewhere: then it would count twice.
-- KEYS state (hash: version, json)   ARGV version it was made from (0: none), json, time to live (ms), deadline (ms, by TIME)
-- Returns 1 when it is in place, 0 when another one is, -1 when it is too late.
local time = redis.call('TIME')
if time[1] * 1000 + time[2] / 1000 > tonumber(ARGV[4]) then return -1 end
if tonumber(redis.call('HGET', KEYS[1], 'version') or 0) ~= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1] + 1, 'json', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
