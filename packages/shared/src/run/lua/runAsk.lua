-- What a worker may do next in a run.
-- KEYS record, refusals   ARGV 1 when a row of refusals has ended
-- Returns 'cancelled', 'paused' or 'open'; -1 when there is no such run (any more).
if ARGV[1] == '1' then redis.call('DEL', KEYS[2]) end
local record = redis.call('HMGET', KEYS[1], 'campaign', 'cancelled_at', 'paused_at')
if not record[1] then return -1 end
if record[2] then return 'cancelled' end
if record[3] then return 'paused' end
return 'open'
