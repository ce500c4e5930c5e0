-- Holds the installation, unless it is held.
-- KEYS record   ARGV reason
if redis.call('HSETNX', KEYS[1], 'held_at', now_ms()) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'reason', ARGV[1], 'data_at', redis.call('HGET', KEYS[1], 'at') or 0)
return 1
