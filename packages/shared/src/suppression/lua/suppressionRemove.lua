-- Takes an address off the list, for one scope.
-- KEYS hash of the address   ARGV address, scope, reason that the entry must have ('': any)
-- Returns 1 when there was such an entry, else 0.
local kept, removed = {}, 0
for _, entry in ipairs(entries_of(redis.call('HGET', KEYS[1], ARGV[1]))) do
  if entry[1] == ARGV[2] and (ARGV[3] == '' or entry[2] == ARGV[3]) then
    removed = 1
  else
    kept[#kept + 1] = entry
  end
end
if removed == 1 then store_entries(KEYS[1], ARGV[1], kept) end
return removed
