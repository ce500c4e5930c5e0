-- What a worker may do next with a chunk of a run.
-- KEYS record, refusals   ARGV chunk, 1 when a row of refusals has ended
-- Returns 'cancelled', 'paused' or 'open'; 'foreign' when the run was frozen without this chunk; -1 when there is no such run
-- (any more).
if ARGV[2] == '1' then redis.call('DEL', KEYS[2]) end
local record = fields_of(KEYS[1], {'campaign', 'frozen_at', 'chunks', 'cancelled_at', 'paused_at'})
if not record.campaign then return -1 end
if is_foreign(record, ARGV[1]) then return 'foreign' end
return gate_of(record)
