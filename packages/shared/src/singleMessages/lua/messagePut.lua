-- Says where a message is, unless it says so already: whoever comes first decides, and only who knows the place that stands
-- moves it to another one.
-- KEYS message   ARGV place that is expected to stand ('': none), record, time to live (ms)
-- Returns the record that stands, '' when there is none. A record begins with its place and a space.
local standing = redis.call('GET', KEYS[1]) or ''
if (standing:match('^%S+') or '') ~= ARGV[1] then return standing end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return ARGV[2]
