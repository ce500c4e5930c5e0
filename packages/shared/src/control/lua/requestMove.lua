-- Moves a request to another time, unless somebody else has moved it meanwhile.
-- KEYS request (hash)   ARGV the time that was found taken, the next one (ms)
-- Returns the time that stands.
if redis.call('HGET', KEYS[1], 'scheduled_at') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'scheduled_at', ARGV[2])
end
return redis.call('HGET', KEYS[1], 'scheduled_at')
