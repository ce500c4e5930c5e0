-- Notes which links went out in a run, so that clicks find their run, and nobody can have others counted by name.
-- KEYS base:runs, base:RUN:links   ARGV run, scheduled time (ms), ttl (ms), most links, links...
local now = redis.call('TIME')[1] * 1000
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 2 * ARGV[3])
local known = redis.call('HLEN', KEYS[2])
for i = 5, #ARGV do
  if known >= tonumber(ARGV[4]) then break end
  known = known + redis.call('HSETNX', KEYS[2], ARGV[i], known)
end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return known
