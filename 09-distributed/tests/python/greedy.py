# Asks five hundred times for four megabytes, reads no answer, and goes on sending.
import os
import select
import struct
import sys
import time
from multiprocessing.managers import BaseManager
from multiprocessing.reduction import ForkingPickler


class QueueManager(BaseManager):
    pass


QueueManager.register('get_task_queue')
m = QueueManager(address=('127.0.0.1', int(os.environ['PORT'])), authkey=b'abc')
m.connect()
q = m.get_task_queue()
q.put_tasks([('large', None)])
[(lease, _, _, _)] = q.take()
q.complete([(lease, b'x' * (4 << 20))])
connection = q._tls.connection


def frame(*request):
    body = bytes(ForkingPickler.dumps(request))
    return struct.pack('!i', len(body)) + body


os.write(connection.fileno(), frame(q._id, 'results', (0,), {}) * 500)
# And then puts, as many as the server takes: until nothing has fitted for a while.
os.set_blocking(connection.fileno(), False)
unsent, since = b'', time.monotonic()
rest = 100
while time.monotonic() - since < 0.5 and (unsent or rest):
    if not unsent:
        unsent, rest = frame(q._id, 'put', (b'y' * (4 << 20),), {}), rest - 1
    try:
        unsent = unsent[os.write(connection.fileno(), unsent):]
        since = time.monotonic()
    except BlockingIOError:
        select.select([], [connection], [], 0.1)
print('asked', flush=True)
sys.stdin.read()
os._exit(0)
