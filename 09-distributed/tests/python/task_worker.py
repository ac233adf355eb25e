# The tutorial's worker: it takes ten tasks, or fewer if there are no more.
import os
import queue
from multiprocessing.managers import BaseManager


class QueueManager(BaseManager):
    pass


QueueManager.register('get_task_queue')
QueueManager.register('get_result_queue')

server_addr = '127.0.0.1'
print('Connect to server %s...' % server_addr, flush=True)
m = QueueManager(address=(server_addr, int(os.environ.get('PORT', 5000))), authkey=b'abc')
m.connect()
task = m.get_task_queue()
result = m.get_result_queue()
for i in range(10):
    try:
        n = task.get(timeout=1)
        print('run task %d * %d...' % (n, n), flush=True)
        r = '%d * %d = %d' % (n, n, n * n)
        result.put(r)
    except queue.Empty:
        print('task queue is empty.')
print('worker exit.')
