-- Counts refusals for one and the same reason in a row; when there are enough of them, the campaign or the account is
-- wrong and not the recipients, so the run pauses.
-- KEYS refusals (list; the first element is the reason)
-- ARGV threshold, 1 when something else was answered before these, reason, then chunk:position...
-- Returns the chunk:position of all refusals in the row when the run has to pause, else nothing.
if ARGV[2] == '1' or redis.call('LINDEX', KEYS[1], 0) ~= ARGV[3] then
  redis.call('DEL', KEYS[1])
  redis.call('RPUSH', KEYS[1], ARGV[3])
end
redis.call('RPUSH', KEYS[1], unpack(ARGV, 4))
if redis.call('LLEN', KEYS[1]) - 1 < tonumber(ARGV[1]) then return {} end
return redis.call('LRANGE', KEYS[1], 1, -1)
