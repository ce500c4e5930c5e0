-- Goes on. What processes remember from before does not count from here on.
-- KEYS record   Returns 1 when it was held.
if redis.call('HEXISTS', KEYS[1], 'held_at') == 0 then return 0 end
redis.call('HDEL', KEYS[1], 'held_at', 'reason', 'data_at')
redis.call('HSET', KEYS[1], 'released_at', now_ms())
return 1
