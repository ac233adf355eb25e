-- ARGV: the worker, how many at most. Returns in how many milliseconds there will be more (-1: nobody knows), then
-- entry, delivery, attempt, id and body of each task.
local worker, max = ARGV[1], tonumber(ARGV[2])
local lease, most = setting('lease'), setting('max_attempts')
local taken = { -1 }

local function lend(entry, delivery, attempt, fields)
  local count = #taken
  taken[count + 1], taken[count + 2], taken[count + 3] = entry, delivery, attempt
  taken[count + 4], taken[count + 5] = fields[2], fields[4]
  max = max - 1
end

-- What was lent before.
local function lend_again(entry, delivery)
  local tried = attempts(entry, delivery)
  if tried >= most then
    return bury(entry, tried)
  end
  local task = call('XCLAIM', tasks, 'crew', worker, 0, entry)[1]
  if task then
    lend(entry, delivery + 1, tried + 1, task[2])
  else
    strike({ entry })
  end
end

-- When the first lease of a worker ends, if he has any.
local function first_end(holder)
  local from, longest = '-', nil
  repeat
    local his = call('XPENDING', tasks, 'crew', from, '+', 1000, holder)
    for _, one in ipairs(his) do
      from, longest = '(' .. one[1], math.max(longest or 0, one[3])
    end
  until #his == 0
  return longest and now + math.max(1, lease - longest)
end

-- First those whose leases have ended.
while max > 0 do
  local holder = call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 1)[1]
  if not holder then
    break
  end
  local ended = call('XPENDING', tasks, 'crew', 'IDLE', lease, '-', '+', max, holder)
  for _, one in ipairs(ended) do
    call('HSET', errors, one[1], 'its worker was silent for longer than the lease')
    lend_again(one[1], one[4])
  end
  -- If there were as many as were wanted, there may be more.
  if max > 0 and #ended == 0 then
    local first = first_end(holder)
    if first then
      call('ZADD', leases, first, holder)
    else
      call('ZREM', leases, holder)
    end
  end
end

-- Then what came back.
while max > 0 do
  local due = call('ZRANGEBYSCORE', back, '-inf', now, 'LIMIT', 0, max)
  if #due == 0 then
    break
  end
  for _, entry in ipairs(due) do
    local holder, delivery = pending(entry)
    call('ZREM', back, entry)
    if holder then
      lend_again(entry, delivery)
    end
  end
end

if max > 0 then
  local read = call('XREADGROUP', 'GROUP', 'crew', worker, 'COUNT', max, 'STREAMS', tasks, '>')
  for _, task in ipairs(read and read[1][2] or {}) do
    lend(task[1], 1, 1, task[2])
  end
end

if #taken > 1 then
  -- Not if there is an earlier one already.
  call('ZADD', leases, 'NX', now + lease, worker)
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
