-- Moves a template on to another run, unless somebody else has moved it meanwhile.
-- KEYS current run   ARGV run that is expected to stand ('': none), the next one, time to live (ms)
-- Returns the run that stands.
local standing = redis.call('GET', KEYS[1]) or ''
if standing ~= ARGV[1] then return standing end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return ARGV[2]
