-- Looks addresses up. Nearly nobody is on the list, so that only those who are come back.
-- KEYS hash of each address (of one shard)   ARGV address of each
-- Returns {index from 0, packed entries, index, packed entries…}.
local found = {}
for i, key in ipairs(KEYS) do
  local packed = redis.call('HGET', key, ARGV[i])
  if packed then
    found[#found + 1] = i - 1
    found[#found + 1] = packed
  end
end
return found
