-- Hands out the next number of a chunk in a run of single messages.
-- KEYS record   ARGV how many chunks the run may have
-- Returns the number, or -1 when the run takes in no more, or is gone.
local record = redis.call('HMGET', KEYS[1], 'id', 'chunks', 'frozen_at', 'cancelled_at')
if not record[1] or record[3] or record[4] then return -1 end
if tonumber(record[2] or 0) >= tonumber(ARGV[1]) then return -1 end
return redis.call('HINCRBY', KEYS[1], 'chunks', 1) - 1
