-- Creates a run's record, unless it is there. A run exists once, for as long as its record is kept.
-- KEYS record, snapshot, attachments (hash: SHA-256 -> content)
-- ARGV snapshot (compressed), number of the arguments that are attachments: hash, content...; then field, value...
-- Returns 1 when created, 0 when it was there.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local attachments = tonumber(ARGV[2])
redis.call('SET', KEYS[2], ARGV[1])
if attachments > 0 then redis.call('HSET', KEYS[3], unpack(ARGV, 3, attachments + 2)) end
redis.call('HSET', KEYS[1], unpack(ARGV, attachments + 3))
return 1
