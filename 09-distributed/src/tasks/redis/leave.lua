-- ARGV: a worker who ends. What he has is the next one's, at once.
repeat
  local his = call('XPENDING', tasks, 'crew', '-', '+', 1000, ARGV[1])
  for at = #his, 1, -1 do
    call('HSET', errors, his[at][1], 'its worker ended')
    give_back(his[at][1])
  end
until #his == 0
call('XGROUP', 'DELCONSUMER', tasks, 'crew', ARGV[1])
call('ZREM', leases, ARGV[1])
call('HDEL', workers, ARGV[1])
wake_one()
return 1
