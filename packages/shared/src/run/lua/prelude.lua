-- Shared by the scripts that change a run's numbers.

-- How long a slot of the history is, in seconds, at an age of the run in seconds: fine where people watch, coarse later, so
-- that a run which is at it for a month has some 2,500 of them.
local function slot_length(age)
  if age < 3600 then return 10 end
  if age < 86400 then return 60 end
  return 3600
end

-- Some fields of a record, by name; false where there is none.
local function fields_of(record, names)
  local fields = {}
  for i, value in ipairs(redis.call('HMGET', record, unpack(names))) do fields[names[i]] = value end
  return fields
end

-- The run was frozen without this chunk: a freezer that was overtaken made it.
local function is_foreign(record, chunk)
  return record.frozen_at and tonumber(chunk) >= tonumber(record.chunks)
end

-- What a worker may do next.
local function gate_of(record)
  if record.cancelled_at then return 'cancelled' end
  if record.paused_at then return 'paused' end
  return 'open'
end

local HISTORY = {'sent', 'rejected', 'in_doubt', 'delivered', 'bounced'}

-- Writes down the run's numbers as they are; the last of each slot of time stays.
local function remember(history, fields)
  local now = tonumber(redis.call('TIME')[1])
  local length = slot_length(now - tonumber(fields.created_at or 0) / 1000)
  local numbers = {}
  for i, name in ipairs(HISTORY) do numbers[i] = fields[name] or 0 end
  redis.call('HSET', history, math.floor(now / length) * length, table.concat(numbers, ' '))
end

-- A part of a run that came after its end lives as long as its record does.
local function expire_with(record, part)
  local left = redis.call('PTTL', record)
  if left > 0 then redis.call('PEXPIRE', part, left) end
end
