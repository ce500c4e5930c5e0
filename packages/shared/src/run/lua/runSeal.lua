-- Ends a run of single messages. The chunks that were allotted stand; where nothing of them is left to do the run is finished.
-- KEYS record   ARGV now (ms)
-- Returns 1, or 0 when there is no such run (any more).
local record = redis.call('HMGET', KEYS[1], 'id', 'queued', 'claimed', 'in_doubt')
if not record[1] then return 0 end
redis.call('HSETNX', KEYS[1], 'frozen_at', ARGV[1])
if tonumber(record[2] or 0) + tonumber(record[3] or 0) + tonumber(record[4] or 0) == 0 then
  redis.call('HSETNX', KEYS[1], 'finished_at', ARGV[1])
end
return 1
