-- Shared by the ledger's scripts. Transitions (TO, MAY, STATES) come before it, from transitions.ts.

-- Redis's own time in ms: the one clock that claims and fences are measured with.
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- How many recipients are in each state, in the order of STATES, with the chunk's version in front. Counted afresh, so
-- that the numbers can't drift from the states.
local function tally(states, version)
  local numbers = {version}
  for i = 1, #STATES do
    local _, count = string.gsub(states, STATES:sub(i, i), '')
    numbers[i + 1] = count
  end
  return numbers
end

-- The string of states as a table of letters, and back.
local function letters_of(states)
  local letters = {}
  for i = 1, #states do letters[i] = states:sub(i, i) end
  return letters
end

-- Stores changed states under a new version: a reader that holds an older tally knows that it is late.
local function store(key_states, key_version, states)
  redis.call('SET', key_states, states, 'KEEPTTL')
  return tally(states, redis.call('INCR', key_version))
end
