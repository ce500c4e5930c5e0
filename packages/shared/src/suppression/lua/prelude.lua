-- Shared by the scripts of the suppression list. STRENGTH (of reasons) comes before it, from suppression.ts, which also
-- says how entries are packed: scope,reason,time,run|scope,reason,time,run

-- The packed entries of an address as a list of {scope, reason, rest}.
local function entries_of(packed)
  local entries = {}
  for scope, reason, rest in (packed or ''):gmatch('([^,|]+),(%a),([^|]*)') do
    entries[#entries + 1] = {scope, reason, rest}
  end
  return entries
end

local function store_entries(key, address, entries)
  if #entries == 0 then return redis.call('HDEL', key, address) end
  local packed = {}
  for i, entry in ipairs(entries) do packed[i] = table.concat(entry, ',') end
  return redis.call('HSET', key, address, table.concat(packed, '|'))
end

-- Puts an entry on the list. Returns 1 when it is new, 2 when it has a stronger reason than the one that was there, else 0.
local function add_entry(key, address, scope, reason, rest)
  local entries = entries_of(redis.call('HGET', key, address))
  for _, entry in ipairs(entries) do
    if entry[1] == scope then
      if STRENGTH[reason] <= STRENGTH[entry[2]] then return 0 end
      entry[2], entry[3] = reason, rest
      store_entries(key, address, entries)
      return 2
    end
  end
  entries[#entries + 1] = {scope, reason, rest}
  store_entries(key, address, entries)
  return 1
end
