-- In front of each of the scripts. Redis runs a script whole, with nobody else's command in between, and writes what it
-- changed to its append-only file as one transaction.
--
-- tasks    stream: what is not done, as put; a task's place in it is its entry. One consumer group, `crew`.
-- ids      set: every id that was ever put
-- leases   sorted set: who has something on lease, by a millisecond before which none of his leases ends. When they
--          began, the group knows; it would have to look at all of them to find those that have ended.
-- back     sorted set: entries that came back, by the millisecond from which they may be lent again; below zero are
--          those that are the next ones. In the group they belong to the consumer `nobody`.
-- errors   hash: the last error of an entry
-- forgiven hash: how many of an entry's deliveries were no attempts
-- results  stream: the log
-- dead     stream
-- workers  hash: how many each has done
-- wake     list: at most one element, for which those wait who found nothing
-- settings hash
local tasks, ids, leases, back, errors, forgiven, results, dead, workers, wake, settings = unpack(KEYS)
local call = redis.call

local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function setting(name)
  return tonumber(call('HGET', settings, name))
end

-- A table as a command's arguments, piece by piece: Lua's stack ends near 8,000 values.
local function in_pieces(command, key, values)
  for first = 1, #values, 4000 do
    call(command, key, unpack(values, first, math.min(first + 3999, #values)))
  end
end

-- Who has an entry, and for which time: nobody else's fence is as good.
local function pending(entry)
  local found = call('XPENDING', tasks, 'crew', entry, entry, 1)[1]
  if found then
    return found[2], found[4]
  end
end

-- The entry, delivery, holder and task's id of a fence, if it holds.
local function held(fence)
  local entry, delivery, holder, id = string.match(fence, '^(%d+%-%d+)/(%d+)/([^/]+)/(.*)$')
  if entry then
    local now_with, now_for = pending(entry)
    if now_with == holder and now_for == tonumber(delivery) then
      return entry, now_for, holder, id
    end
  end
end

-- How many attempts these deliveries come to.
local function attempts(entry, deliveries)
  return deliveries - (tonumber(call('HGET', forgiven, entry)) or 0)
end

-- Time and number of an entry.
local function parts(entry)
  local time_part, number = string.match(entry, '^(%d+)%-(%d+)$')
  return tonumber(time_part), tonumber(number)
end

-- Takes entries off the list.
local function strike(entries)
  for first = 1, #entries, 4000 do
    call('XACK', tasks, 'crew', unpack(entries, first, math.min(first + 3999, #entries)))
  end
  -- What is before all that is pending, and not new, is done: it goes in one cut. The others are looked for one by one, which
  -- takes Redis four times as long.
  local first = call('XPENDING', tasks, 'crew', '-', '+', 1)[1]
  local time_part, number = parts(first and first[1] or call('XINFO', 'GROUPS', tasks)[1][8])
  if not first then
    number = number + 1
  end
  call('XTRIM', tasks, 'MINID', string.format('%.0f-%.0f', time_part, number))
  local rest = {}
  for _, entry in ipairs(entries) do
    local its_time, its_number = parts(entry)
    if its_time > time_part or (its_time == time_part and its_number >= number) then
      rest[#rest + 1] = entry
    end
  end
  in_pieces('XDEL', tasks, rest)
  in_pieces('ZREM', back, entries)
  in_pieces('HDEL', errors, entries)
  in_pieces('HDEL', forgiven, entries)
end

-- A task that is tried no more.
local function bury(entry, tried)
  local task = call('XRANGE', tasks, entry, entry)[1]
  if task then
    local id, body, error = task[2][2], task[2][4], call('HGET', errors, entry) or ''
    call('XADD', results, '*', 'id', id, 'tried', tried, 'error', error)
    call('XADD', dead, '*', 'id', id, 'body', body, 'tried', tried, 'error', error)
  end
  strike({ entry })
end

-- Nobody's, from a moment on, or the next one of all.
local function give_back(entry, from)
  call('XCLAIM', tasks, 'crew', 'nobody', 0, entry, 'JUSTID')
  call('ZADD', back, from or -call('HINCRBY', settings, 'front', 1), entry)
end

-- How many are somebody's, or nobody's: all that are not new.
local function delivered()
  return call('XINFO', 'GROUPS', tasks)[1][6]
end

-- Wakes one of those who wait, if there is something for him. He wakes the next one.
local function wake_one()
  if
    call('LLEN', wake) == 0
    and (call('XLEN', tasks) > delivered() or call('ZCOUNT', back, '-inf', now) > 0)
  then
    call('RPUSH', wake, '')
  end
end
