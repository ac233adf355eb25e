# Asks five hundred times for four megabytes, and reads no answer.
import os
import sys
from multiprocessing.managers import BaseManager


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
for _ in range(500):
    connection.send((q._id, 'results', (0,), {}))
print('asked', flush=True)
sys.stdin.read()
os._exit(0)
