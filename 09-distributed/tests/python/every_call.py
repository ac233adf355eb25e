# Every call of a queue proxy, as Python makes it, with the answers that Python's own server gives.
import os
import queue
import time
from multiprocessing.managers import BaseManager, RemoteError, dispatch


class QueueManager(BaseManager):
    pass


for name in 'get_task_queue', 'get_small_queue', 'get_put_only', 'new_queue', 'nothing':
    QueueManager.register(name)

address = ('127.0.0.1', int(os.environ['PORT']))
m = QueueManager(address=address, authkey=b'abc')
m.connect()
q = m.get_task_queue()


def raises(kind, call, *args, **kwds):
    try:
        call(*args, **kwds)
    except kind as error:
        assert type(error) is kind, type(error)
        return str(error)
    raise AssertionError('%r was expected' % kind)


# Values arrive as they were sent.
values = [
    None, True, False, 0, -1, 255, 256, 65535, 65536, 2**31, -2**31, 2**63 - 1, -2**63, 2**63, -2**63 - 1, 2**200,
    -2**3000, 0.0, -1.5, 1e300, float('inf'), '', 'a', 'häuser 🏠', 'x' * 300, 'y' * 70000, b'', b'\x00\xff',
    b'z' * 70000, bytearray(b'abc'), [], [1, [2, [3]]], (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {}, {'a': 1, 2: 'b'},
    set(), {1, 2, 3}, frozenset([1]), [None] * 2000, {i: str(i) for i in range(2000)}, ('a', 'a', ['a']),
]
shared = [1]
values.append([shared, shared])
for value in values:
    q.put(value)
    back = q.get()
    assert back == value, (value, back)
    assert type(back) is type(value) or type(value) in (bytearray, frozenset), (value, back)

# Waiting, by position and by keyword.
assert raises(queue.Empty, q.get, False) == ''
raises(queue.Empty, q.get, block=False)
raises(queue.Empty, q.get_nowait)
start = time.monotonic()
raises(queue.Empty, q.get, True, 0.2)
raises(queue.Empty, q.get, timeout=0.2)
raises(queue.Empty, q.get, block=True, timeout=0.2)
raises(queue.Empty, q.get, True, timeout=0)
assert 0.6 <= time.monotonic() - start < 5
raises(ValueError, q.get, timeout=-1)
raises(TypeError, q.get, timeout='soon')
raises(TypeError, q.get, surprise=1)
raises(TypeError, q.put)

small = m.get_small_queue()
small.put(1)
small.put(item=2, block=True, timeout=None)
assert small.full() and not small.empty() and small.qsize() == 2
raises(queue.Full, small.put, 3, False)
raises(queue.Full, small.put_nowait, 3)
raises(queue.Full, small.put, 3, timeout=0.1)
raises(queue.Full, small.put, 3, True, 0.1)
assert [small.get(), small.get_nowait()] == [1, 2]
assert small.empty() and not small.full() and small.qsize() == 0

# Done.
for _ in range(q.qsize() + len(values)):
    q.task_done()
q.join()
assert 'too many' in raises(ValueError, q.task_done)

# What is not exposed, or not there.
p = m.get_put_only()
p.put(1)
assert not hasattr(p, 'get')
assert 'not exposed' in raises(RemoteError, p._callmethod, 'get')
assert 'not exposed' in raises(RemoteError, q._callmethod, '__class__')
assert 'not exposed' in raises(RemoteError, q._callmethod, '__getattribute__', ('mutex',))
raises(RemoteError, q._callmethod, '#GETVALUE')
assert 'nothing is registered' in raises(RemoteError, m.nothing)
assert str(q).startswith('<queue of ')

# The server itself.
def ask(*request):
    connection = m._Client(address, authkey=b'abc')
    try:
        return dispatch(connection, None, *request)
    finally:
        connection.close()


assert ask('dummy') is None
assert 'put' in ask('get_methods', (q._token,))
before = ask('number_of_objects')
mine = m.new_queue()
assert ask('number_of_objects') == before + 1
mine.put('only here')
assert m.new_queue().empty() and mine.get() == 'only here'
del mine
assert ask('number_of_objects') == before
assert 'refcount' in ask('debug_info')
raises(RemoteError, ask, 'import_os')
raises(RemoteError, ask, 'decref', ('no such id',))
print('every call answered')
if os.environ.get('SHUTDOWN'):
    assert ask('shutdown') is None
