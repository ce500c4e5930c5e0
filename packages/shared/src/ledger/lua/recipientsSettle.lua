-- Writes down what SES answered to a claim. The holder may settle everything; a worker that comes late (its claim has
-- run out and is in doubt) may still say `accept`, and may settle doubts that are of its own claim.
-- KEYS states, version, claims, doubts, journal   ARGV claim id, journal entry, then event, its positions (separated by commas)...
-- Returns {tally, position that was refused...}.
local claim_id = ARGV[1]
local states = redis.call('GET', KEYS[1])
if not states then return redis.error_reply('NOCHUNK ' .. KEYS[1]) end

local has_doubts = false
for i = 3, #ARGV, 2 do has_doubts = has_doubts or ARGV[i] == 'doubt' end
-- Only doubts remember when the claim was made.
local claim = has_doubts and redis.call('HGET', KEYS[3], claim_id)
local is_held = redis.call('HDEL', KEYS[3], claim_id) == 1
local letters = letters_of(states)
local refused = {}

local function settle(position, event)
  local from = letters[position + 1]
  if from == TO[event] then return end
  local doubt = from == 'd' and redis.call('HGET', KEYS[4], position)
  local is_own = is_held or (doubt and doubt:match('^%S+ (%S+)') == claim_id)
  if not ((is_own or event == 'accept') and MAY[event][from]) then
    refused[#refused + 1] = position
    return
  end
  letters[position + 1] = TO[event]
  if event == 'doubt' then
    redis.call('HSET', KEYS[4], position, claim:match('^%S+') .. ' ' .. claim_id)
  elseif doubt then
    redis.call('HDEL', KEYS[4], position)
  end
end

for i = 3, #ARGV, 2 do
  for position in ARGV[i + 1]:gmatch('%d+') do settle(tonumber(position), ARGV[i]) end
end

if ARGV[2] ~= '' then redis.call('RPUSH', KEYS[5], ARGV[2]) end
return {store(KEYS[1], KEYS[2], table.concat(letters)), unpack(refused)}
