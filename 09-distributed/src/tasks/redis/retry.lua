-- ARGV: the ids of dead tasks, or none for all. Returns how many have another life.
local wanted, number, from = {}, 0, '-'
for _, id in ipairs(ARGV) do
  wanted[id] = true
end
repeat
  local some = call('XRANGE', dead, from, '+', 'COUNT', 1000)
  for _, entry in ipairs(some) do
    local id, body = entry[2][2], entry[2][4]
    from = '(' .. entry[1]
    if #ARGV == 0 or wanted[id] then
      call('XADD', tasks, '*', 'id', id, 'body', body)
      call('XDEL', dead, entry[1])
      number = number + 1
    end
  end
until #some == 0
wake_one()
return number
