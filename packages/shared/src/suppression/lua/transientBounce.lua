-- Counts a transient bounce of an address, once a mail; the one that is too many puts the address on the list.
-- KEYS bounces (sorted set: mail -> time in ms), hash of the address
-- ARGV mail, time of the bounce (ms), start of the window (ms), window (ms), how many are too many, then the entry: address, scope, reason, rest
-- Returns 1 when the address was put on the list by this, else 0.
redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[3])
if redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[5]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  return 0
end
redis.call('DEL', KEYS[1])
return math.min(1, add_entry(KEYS[2], ARGV[6], ARGV[7], ARGV[8], ARGV[9]))
