-- What a process remembers of the data meets the data: are they those that it knows, or older ones? Then the next mark is
-- set, which is how the data will be recognised as older when they come back from a backup.
-- KEYS record   ARGV what the process remembers: installation ('': nothing), mark, time of it (ms); an id for a new
-- installation; the age from which a stranger's word is asked for (ms), '' when it has been
-- Returns {verdict, installation, mark, now, held since, reason, released at}. Verdict: 'known'; 'held'; 'old': the process
-- remembers nothing, and nobody has touched the data for so long that they may be a backup: look and call again; 'foreign': the
-- process remembers another installation, and this one is older than its memory. The last two change nothing.
local known = {installation = ARGV[1], mark = tonumber(ARGV[2]), at = tonumber(ARGV[3])}
local now = now_ms()
local record = redis.call('HMGET', KEYS[1], 'installation', 'mark', 'at', 'released_at', 'born_at')
local installation, mark, at = record[1], tonumber(record[2] or 0), tonumber(record[3] or 0)
local released_at, born_at = tonumber(record[4] or 0), tonumber(record[5] or 0)
-- What was remembered before an operator's word does not count any more.
local is_decided = known.at <= released_at

local reason
if known.installation == '' then
  if installation and ARGV[5] ~= '' and at < now - ARGV[5] then
    return {'old', installation, mark, now, redis.call('HGET', KEYS[1], 'held_at') or '', '', released_at}
  end
elseif not installation then
  reason = 'lost'
elseif not is_decided and known.installation ~= installation then
  -- It lives beside the one that the process knows, and has lost nothing: a REDIS_URL or a folder was mixed up.
  if born_at < known.at then return {'foreign', installation, mark, now, '', '', released_at} end
  reason = 'other'
elseif not is_decided and known.mark > mark then
  reason = 'older'
end

if not installation then
  installation = known.installation ~= '' and known.installation or ARGV[4]
  redis.call('HSET', KEYS[1], 'born_at', now)
end
if known.installation == installation then mark = math.max(mark, known.mark) end
if reason and redis.call('HSETNX', KEYS[1], 'held_at', now) == 1 then
  redis.call('HSET', KEYS[1], 'reason', reason, 'data_at', at)
end
redis.call('HSET', KEYS[1], 'installation', installation, 'mark', mark + 1, 'at', now)
local held = redis.call('HMGET', KEYS[1], 'held_at', 'reason')
return {held[1] and 'held' or 'known', installation, mark + 1, now, held[1] or '', held[2] or '', released_at}
