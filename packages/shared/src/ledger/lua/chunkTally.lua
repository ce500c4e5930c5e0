-- The numbers of a chunk as they are.
-- KEYS states, version
-- Returns the tally.
local chunk = redis.call('MGET', KEYS[1], KEYS[2])
if not chunk[1] then return redis.error_reply('NOCHUNK ' .. KEYS[1]) end
return tally(chunk[1], chunk[2])
