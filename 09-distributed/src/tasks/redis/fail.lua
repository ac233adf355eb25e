-- ARGV: fence, error, in how many milliseconds it may be tried again. Returns 1 if it was the caller's to fail.
local entry, delivery = held(ARGV[1])
if not entry then
  return 0
end
call('HSET', errors, entry, ARGV[2])
local tried = attempts(entry, delivery)
if tried >= setting('max_attempts') then
  bury(entry, tried)
else
  give_back(entry, now + tonumber(ARGV[3]))
  -- There may be nothing yet, but one of those who wait must know from when on.
  if call('LLEN', wake) == 0 then
    call('RPUSH', wake, '')
  end
end
return 1
