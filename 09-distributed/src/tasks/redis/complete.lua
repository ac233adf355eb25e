-- ARGV: fence, result, … Returns 1 for each that was recorded.
local verdicts, finished, seen, by = {}, {}, {}, {}
for at = 1, #ARGV, 2 do
  local entry, _, holder, id = held(ARGV[at])
  local new = entry and not seen[entry]
  if new then
    seen[entry] = true
    call('XADD', results, '*', 'id', id, 'value', ARGV[at + 1])
    finished[#finished + 1] = entry
    by[holder] = (by[holder] or 0) + 1
  end
  verdicts[#verdicts + 1] = new and 1 or 0
end
strike(finished)
for holder, number in pairs(by) do
  call('HINCRBY', workers, holder, number)
end
call('HINCRBY', settings, 'done', #finished)
return verdicts
