# Waits in `get`, to be killed there.
import os
from multiprocessing.managers import BaseManager


class QueueManager(BaseManager):
    pass


QueueManager.register('get_task_queue')
m = QueueManager(address=('127.0.0.1', int(os.environ['PORT'])), authkey=b'abc')
m.connect()
task = m.get_task_queue()
print('waiting', flush=True)
print(task.get(), flush=True)
