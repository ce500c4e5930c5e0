-- The numbers of a chunk as they are.
-- KEYS states, version
-- Returns the tally.
local states, version = unpack(redis.call('MGET', KEYS[1], KEYS[2]))
if not states then return redis.error_reply('NOCHUNK ' .. KEYS[1]) end
return tally(states, version)
