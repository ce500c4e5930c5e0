-- Counts refusals for one and the same reason in a row; when there are enough of them, the campaign or the account is
-- wrong and not the recipients, so the run pauses.
-- KEYS record, refusals (list; the first element is the reason)
-- ARGV now (ms), threshold, 1 when something else was answered before these, reason, then chunk:position...
-- Returns the chunk:position of all refusals in the row when the run paused by this call, else nothing.
if ARGV[3] == '1' or redis.call('LINDEX', KEYS[2], 0) ~= ARGV[4] then
  redis.call('DEL', KEYS[2])
  redis.call('RPUSH', KEYS[2], ARGV[4])
end
redis.call('RPUSH', KEYS[2], unpack(ARGV, 5))
if redis.call('LLEN', KEYS[2]) - 1 < tonumber(ARGV[2]) then return {} end
if redis.call('HEXISTS', KEYS[1], 'paused_at') == 0 then
  redis.call('HSET', KEYS[1], 'paused_at', ARGV[1], 'pause_reason', ARGV[4])
end
return redis.call('LRANGE', KEYS[2], 1, -1)
