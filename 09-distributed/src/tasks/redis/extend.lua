-- ARGV: fences. Returns 1 for each that holds, counted from now.
local verdicts = {}
for at, fence in ipairs(ARGV) do
  local entry, _, holder = held(fence)
  if entry then
    -- It begins anew, and (JUSTID) is no further delivery.
    call('XCLAIM', tasks, 'crew', holder, 0, entry, 'JUSTID')
  end
  verdicts[at] = entry and 1 or 0
end
return verdicts
