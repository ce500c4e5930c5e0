-- Ends a chunk: its journal becomes one compressed value, its recipients shrink to what is still needed, everything gets
-- its time to live. Refused when an entry came, or somebody else has archived, after the caller read the journal.
-- KEYS states, version, claims, doubts, journal, archive, recipients, outcomes, outcome counts
-- ARGV entries and bytes that the caller read, new archive, recipients, journal's time to live (ms), ledger's time to live (ms)
-- Returns 1 when done, else 0.
if redis.call('LLEN', KEYS[5]) ~= tonumber(ARGV[1]) or redis.call('STRLEN', KEYS[6]) ~= tonumber(ARGV[2]) then return 0 end
redis.call('DEL', KEYS[5], KEYS[3])
redis.call('SET', KEYS[6], ARGV[3], 'PX', ARGV[5])
redis.call('SET', KEYS[7], ARGV[4], 'PX', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
redis.call('PEXPIRE', KEYS[4], ARGV[6])
redis.call('PEXPIRE', KEYS[8], ARGV[6])
redis.call('PEXPIRE', KEYS[9], ARGV[6])
return 1
