-- Pauses, resumes or cancels a run.
-- KEYS record   ARGV action, now (ms), reason; of a pause: cause, time of the next try (ms, or nothing)
-- Returns 1 when done, 2 when it paused again for the reason that it paused for before it was tried again by itself, 0 when
-- the run is not in a state for it, -1 when there is no such run.
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local record = redis.call('HMGET', KEYS[1], 'finished_at', 'cancelled_at', 'paused_at')
local is_finished, is_cancelled, is_paused = record[1], record[2], record[3]
if is_finished or is_cancelled then return 0 end

if ARGV[1] == 'pause' then
  if is_paused then return 0 end
  local told = redis.call('HGET', KEYS[1], 'told_reason')
  redis.call('HSET', KEYS[1], 'paused_at', ARGV[2], 'pause_reason', ARGV[3], 'pause_cause', ARGV[4], 'told_reason', ARGV[3])
  if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'retry_at', ARGV[5]) end
  if told == ARGV[3] then return 2 end
elseif ARGV[1] == 'resume' then
  if not is_paused then return 0 end
  redis.call('HDEL', KEYS[1], 'paused_at', 'pause_reason', 'pause_cause', 'retry_at')
  -- An operator wants to be told again; whoever tries by itself does not tell twice.
  if ARGV[4] == 'operator' then
    redis.call('HDEL', KEYS[1], 'told_reason')
    redis.call('HSET', KEYS[1], 'resumed_by_operator_at', ARGV[2])
  end
elseif ARGV[1] == 'cancel' then
  redis.call('HSET', KEYS[1], 'cancelled_at', ARGV[2], 'cancel_reason', ARGV[3])
  redis.call('HDEL', KEYS[1], 'paused_at', 'pause_reason', 'pause_cause', 'retry_at')
else
  return redis.error_reply('unknown action ' .. ARGV[1])
end
return 1
