# Python's own server, for the Rust client.
import queue
from multiprocessing.managers import BaseManager

tasks = queue.Queue()
small = queue.Queue(1)


class QueueManager(BaseManager):
    pass


QueueManager.register('get_task_queue', callable=lambda: tasks)
QueueManager.register('get_small_queue', callable=lambda: small)
server = QueueManager(address=('127.0.0.1', 0), authkey=b'abc').get_server()
print('Serving on %d' % server.address[1], flush=True)
server.serve_forever()
