-- Returns ready, delayed, leased, done, dead, the lease in milliseconds, and name, leases and done of each worker.
local not_new, came_back = delivered(), call('ZCARD', back)
local due = call('ZCOUNT', back, '-inf', now)
local lease = setting('lease')
local ready, delayed = call('XLEN', tasks) - not_new + due, came_back - due
local leased = not_new - came_back
local stats = { ready, delayed, leased, setting('done') or 0, call('XLEN', dead), lease }
for _, worker in ipairs(call('XINFO', 'CONSUMERS', tasks, 'crew')) do
  local name, has, idle = worker[2], worker[4], worker[6]
  -- One who waits asks every second. One who has nothing and does not ask has ended, or was killed.
  if name ~= 'nobody' and (has > 0 or idle < lease + 2000) then
    stats[#stats + 1] = name
    stats[#stats + 1] = has
    stats[#stats + 1] = tonumber(call('HGET', workers, name)) or 0
  elseif name ~= 'nobody' and idle > 86400000 then
    -- Who was killed stays in the group until somebody forgets him. DELCONSUMER forgets what he has, too: he has nothing.
    call('XGROUP', 'DELCONSUMER', tasks, 'crew', name)
    call('HDEL', workers, name)
  end
end
return stats
