-- ARGV: the worker, how many at most. Returns in how many milliseconds there will be more (-1: nobody knows), then
-- entry, delivery, attempt, id and body of each task.
local worker, max = ARGV[1], tonumber(ARGV[2])
local lease, most = setting('lease'), setting('max_attempts')
local taken = { -1 }
local new_leases = {}

local function lend(entry, delivery, attempt, fields)
  local count = #new_leases
  new_leases[count + 1], new_leases[count + 2] = now + lease, entry
  count = #taken
  taken[count + 1], taken[count + 2], taken[count + 3] = entry, delivery, attempt
  taken[count + 4], taken[count + 5] = fields[2], fields[4]
  max = max - 1
end

-- First those whose time has come: of leases that ended, then of what came back.
for _, set in ipairs({ leases, back }) do
  local due = max > 0 and call('ZRANGEBYSCORE', set, '-inf', now, 'LIMIT', 0, max) or {}
  while #due > 0 do
    for _, entry in ipairs(due) do
      local holder, delivery = pending(entry)
      local tried = delivery and attempts(entry, delivery)
      if set == leases then
        call('HSET', errors, entry, 'its worker was silent for longer than the lease')
      end
      if not holder then
        strike({ entry })
      elseif tried >= most then
        bury(entry, tried)
      else
        local task = call('XCLAIM', tasks, 'crew', worker, 0, entry)[1]
        if task then
          call('ZREM', set, entry)
          lend(entry, delivery + 1, tried + 1, task[2])
        else
          strike({ entry })
        end
      end
    end
    -- Some of those may have been dead.
    due = max > 0 and call('ZRANGEBYSCORE', set, '-inf', now, 'LIMIT', 0, max) or {}
  end
end

if max > 0 then
  local read = call('XREADGROUP', 'GROUP', 'crew', worker, 'COUNT', max, 'STREAMS', tasks, '>')
  for _, task in ipairs(read and read[1][2] or {}) do
    lend(task[1], 1, 1, task[2])
  end
end
in_pieces('ZADD', leases, new_leases)

if #taken > 1 then
  -- Who was woken wakes the next one, as long as there is something.
  wake_one()
else
  -- For nothing. Whoever puts something puts this, too.
  call('DEL', wake)
  for _, set in ipairs({ leases, back }) do
    local first = call('ZRANGE', set, 0, 0, 'WITHSCORES')[2]
    if first then
      local left = math.max(0, tonumber(first) - now)
      taken[1] = taken[1] < 0 and left or math.min(left, taken[1])
    end
  end
end
return taken
