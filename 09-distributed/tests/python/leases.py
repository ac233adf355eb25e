# The methods of leases, from Python, on a queue with leases of 0.3 s, two attempts, room for five, and 1,000 bytes each.
import os
import queue
from multiprocessing.managers import BaseManager


class QueueManager(BaseManager):
    pass


QueueManager.register('tasks')
m = QueueManager(address=('127.0.0.1', int(os.environ['PORT'])), authkey=b'abc')
m.connect()
q = m.tasks()
assert q.put_tasks([('a', 1), ('b', [2])]) == [True, True]
assert q.put_tasks([('a', 1), ('c', None)]) == [False, True]
try:
    q.put_tasks([(str(n), n) for n in range(3)])
    raise AssertionError('there was room')
except queue.Full:
    pass
for put in (lambda: q.put_tasks([('d', 1), ('e', 'x' * 2000)]), lambda: q.put('x' * 2000)):
    try:
        put()
        raise AssertionError('it was short enough')
    except ValueError as error:
        assert '2008 bytes' in str(error) and '1000 is the most' in str(error), error
assert q.stats()['ready'] == 3
[(lease, id, attempt, body)] = q.take()
assert (id, attempt, body) == ('a', 1, 1)
assert q.extend([lease]) == [True]
assert q.complete([(lease, 'done')]) == [True]
assert q.complete([(lease, 'again')]) == [False]
assert q.results() == [(1, 'a', 'value', 'done')]
assert q.results(after=1, wait=0.1) == []
taken = q.take(max=10, wait=1)
assert [(id, body) for _, id, _, body in taken] == [('b', [2]), ('c', None)]
assert q.fail(taken[0][0], 'no luck', 0.1) is True
again = q.take(10, 5.0)
assert [(id, attempt) for _, id, attempt, _ in again] == [('b', 2)], again
assert q.fail(again[0][0], error='no luck at all') is True
assert q.dead() == [('b', (2, 'no luck at all'), [2])]
assert q.results(1) == [(2, 'b', 'dead', (2, 'no luck at all'))]
# Given back unbegun is no attempt: it may have two of those still.
assert q.release([taken[1][0]]) == [True] and q.release([taken[1][0]]) == [False]
taken[1] = q.take()[0]
assert taken[1][1:3] == ('c', 1), taken
# The lease of the third one ends by itself.
late = q.take(wait=5)
assert [(id, attempt) for _, id, attempt, _ in late] == [('c', 2)]
assert q.complete([(taken[1][0], 'late')]) == [False]
assert q.complete([(late[0][0], 'in time')]) == [True]
stats = q.stats()
assert (stats['ready'], stats['leased'], stats['done'], stats['dead']) == (0, 0, 2, 1), stats
assert q.retry(['b']) == 1 and q.stats()['ready'] == 1
q.purge()
assert q.stats()['ready'] == 0 and q.results() == []
print('all on lease')
