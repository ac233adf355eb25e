# The tutorial's master: it serves two queues itself, puts ten tasks and waits for ten results.
import os
import queue
import random
from multiprocessing.managers import BaseManager

task_queue = queue.Queue()
result_queue = queue.Queue()


class QueueManager(BaseManager):
    pass


def return_task_queue():
    return task_queue


def return_result_queue():
    return result_queue


QueueManager.register('get_task_queue', callable=return_task_queue)
QueueManager.register('get_result_queue', callable=return_result_queue)

if __name__ == '__main__':
    manager = QueueManager(address=('127.0.0.1', int(os.environ.get('PORT', 5000))), authkey=b'abc')
    manager.start()
    print('Serving on %d' % manager.address[1], flush=True)
    task = manager.get_task_queue()
    result = manager.get_result_queue()
    for i in range(10):
        n = random.randint(0, 10000)
        print('Put task %d...' % n)
        task.put(n)
    print('Try get results...', flush=True)
    for i in range(10):
        r = result.get(timeout=10)
        print('Result: %s' % r, flush=True)
    manager.shutdown()
    print('master exit.')
