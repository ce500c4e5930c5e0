-- Fixes which run a request stands for. Whoever comes first decides, everybody else gets what stands.
-- KEYS request (hash)   ARGV fingerprint, scheduled time, now (ms), time to live (ms)
-- Returns {1 when this call was the first, else 0, fingerprint, scheduled time, time of the reservation}.
local is_first = 1 - redis.call('EXISTS', KEYS[1])
if is_first == 1 then
  redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'scheduled_at', ARGV[2], 'reserved_at', ARGV[3])
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {is_first, unpack(redis.call('HMGET', KEYS[1], 'fingerprint', 'scheduled_at', 'reserved_at'))}
