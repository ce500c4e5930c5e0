-- A chunk's journal becomes one compressed value. Refused when an entry came, or somebody else has archived, after the caller
-- read both.
-- KEYS journal, archive   ARGV entries and bytes that the caller read, new archive
-- Returns 1 when done, else 0.
if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) or redis.call('STRLEN', KEYS[2]) ~= tonumber(ARGV[2]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], ARGV[3], 'KEEPTTL')
return 1
