-- Puts addresses on the list; an entry that is there changes only for a stronger reason.
-- KEYS hash of each address (of one shard)   ARGV address, scope, reason, rest; address, scope, reason, rest; …
-- Returns for each 1 when it is new, 2 when it has a stronger reason now, 0 when it was there.
local results = {}
for i, key in ipairs(KEYS) do
  local at = (i - 1) * 4
  results[i] = add_entry(key, ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4])
end
return results
