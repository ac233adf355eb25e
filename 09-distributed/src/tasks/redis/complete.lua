-- ARGV: fence, result, … Returns 1 for each that was recorded.
local verdicts, finished, seen, by = {}, {}, {}, {}
for at = 1, #ARGV, 2 do
  local entry, holder = held(ARGV[at])
  local task = entry and not seen[entry] and call('XRANGE', tasks, entry, entry)[1]
  if task then
    seen[entry] = true
    call('XADD', results, '*', 'id', task[2][2], 'value', ARGV[at + 1])
    finished[#finished + 1] = entry
    by[holder] = (by[holder] or 0) + 1
  end
  verdicts[#verdicts + 1] = task and 1 or 0
end
strike(finished)
for holder, number in pairs(by) do
  call('HINCRBY', workers, holder, number)
end
call('HINCRBY', settings, 'done', #finished)
return verdicts
