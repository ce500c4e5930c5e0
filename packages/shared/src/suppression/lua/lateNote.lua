-- Notes addresses that are about to come to the list.
-- KEYS set (address -> ms), horizon   ARGV how many are kept, for how long (ms), address…
local now = now_ms()
for i = 3, #ARGV do redis.call('ZADD', KEYS[1], now, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])

local over = redis.call('ZCARD', KEYS[1]) - ARGV[1]
if over > 0 then
  local last = redis.call('ZRANGE', KEYS[1], over - 1, over - 1, 'WITHSCORES')
  redis.call('SET', KEYS[2], math.max(tonumber(redis.call('GET', KEYS[2]) or 0), tonumber(last[2])))
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, over - 1)
end
return 1
