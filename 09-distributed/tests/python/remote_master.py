# A master beside somebody else's server: the tutorial's, with connect() for start().
import os
import random
from multiprocessing.managers import BaseManager


class QueueManager(BaseManager):
    pass


QueueManager.register('get_task_queue')
QueueManager.register('get_result_queue')

m = QueueManager(address=('127.0.0.1', int(os.environ.get('PORT', 5000))), authkey=b'abc')
m.connect()
task = m.get_task_queue()
result = m.get_result_queue()
for i in range(10):
    n = random.randint(0, 10000)
    print('Put task %d...' % n)
    task.put(n)
print('Try get results...', flush=True)
for i in range(10):
    r = result.get(timeout=10)
    print('Result: %s' % r, flush=True)
print('master exit.')
