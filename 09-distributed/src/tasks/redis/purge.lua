-- Streams are emptied and not deleted: an entry has the number of no earlier one.
for _, stream in ipairs({ tasks, results, dead }) do
  call('XTRIM', stream, 'MAXLEN', 0)
end
call('XGROUP', 'DESTROY', tasks, 'crew')
call('XGROUP', 'CREATE', tasks, 'crew', '$')
call('DEL', ids, leases, back, errors, forgiven, workers, wake)
return 1
