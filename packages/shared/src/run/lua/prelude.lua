-- Shared by the scripts that change a run's numbers.

-- How long a slot of the history is, in seconds, at an age of the run in seconds: fine where people watch, coarse later, so
-- that a run which is at it for a month has some 2,500 of them.
local function slot_length(age)
  if age < 3600 then return 10 end
  if age < 86400 then return 60 end
  return 3600
end

-- Writes down the run's numbers as they are; the last of each slot of time stays.
local function remember(record, history)
  local now = tonumber(redis.call('TIME')[1])
  local values = redis.call('HMGET', record, 'created_at', 'sent', 'rejected', 'in_doubt', 'delivered', 'bounced')
  local length = slot_length(now - tonumber(values[1] or 0) / 1000)
  local numbers = {}
  for i = 2, #values do numbers[i - 1] = values[i] or 0 end
  redis.call('HSET', history, math.floor(now / length) * length, table.concat(numbers, ' '))
  local left = redis.call('PTTL', record)
  if left > 0 then redis.call('PEXPIRE', history, left) end
end
