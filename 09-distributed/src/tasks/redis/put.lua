-- ARGV: id, body, … Returns 1 for each that is new and 0 for each that isn't; or what is wrong with all of it.
local most = setting('max_body')
for at = 2, #ARGV, 2 do
  if #ARGV[at] > most then
    return { 'long', ARGV[at - 1], #ARGV[at], most }
  end
end
local room = setting('capacity') - call('XLEN', tasks)
if #ARGV / 2 > room then
  local new = 0
  for at = 1, #ARGV, 2 do
    new = new + 1 - call('SISMEMBER', ids, ARGV[at])
  end
  if new > room then
    return { 'full' }
  end
end
local put, new_ids, seen = {}, {}, {}
for at = 1, #ARGV, 2 do
  local id, new = ARGV[at], 0
  if not seen[id] and call('SISMEMBER', ids, id) == 0 then
    call('XADD', tasks, '*', 'id', id, 'body', ARGV[at + 1])
    seen[id] = true
    new_ids[#new_ids + 1] = id
    new = 1
  end
  put[#put + 1] = new
end
-- In this order: what fails in between may put a task twice, and loses none.
in_pieces('SADD', ids, new_ids)
wake_one()
return put
