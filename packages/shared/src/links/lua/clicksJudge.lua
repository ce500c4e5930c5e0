-- Judges visits that are over, before somebody reads the numbers.
-- KEYS base:runs   ARGV base, ttl (ms)   Returns how many; call again when it is the most that one call takes.
return judge(ARGV[1], 500, ARGV[2])
