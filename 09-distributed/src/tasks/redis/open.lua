-- Makes what is not there yet, on each new connection: the server may have begun anew. ARGV: a command (HSET, or HSETNX
-- where what is there is to stay), then settings and values. Returns when the queue was made: another moment than last
-- time if it was lost meanwhile.
for at = 2, #ARGV, 2 do
  call(ARGV[1], settings, ARGV[at], ARGV[at + 1])
end
if call('EXISTS', tasks) == 0 then
  call('XGROUP', 'CREATE', tasks, 'crew', '0', 'MKSTREAM')
end
call('HSETNX', settings, 'born', time[1] .. '.' .. time[2])
return call('HGET', settings, 'born')
