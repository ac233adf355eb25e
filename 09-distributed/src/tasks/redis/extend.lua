-- ARGV: fences. Returns 1 for each that holds, counted from now.
local lease, verdicts = setting('lease'), {}
for at, fence in ipairs(ARGV) do
  local entry, _, holder = held(fence)
  if entry then
    -- JUSTID: it is no further delivery.
    call('XCLAIM', tasks, 'crew', holder, 0, entry, 'JUSTID')
    call('ZADD', leases, now + lease, entry)
  end
  verdicts[at] = entry and 1 or 0
end
return verdicts
