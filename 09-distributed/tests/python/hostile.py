# An object that runs code wherever it is unpickled: here only a print.
import os
from multiprocessing.managers import BaseManager, RemoteError


class Hostile:
    def __reduce__(self):
        return print, ('this ran on the server',)


class QueueManager(BaseManager):
    pass


QueueManager.register('get_task_queue')
m = QueueManager(address=('127.0.0.1', int(os.environ['PORT'])), authkey=b'abc')
m.connect()
q = m.get_task_queue()
try:
    q.put(Hostile())
except RemoteError as error:
    print('refused: ' + error.args[0])
assert q.empty()
os._exit(0) if os.environ.get('HURRY') else None
print('the connection works on: %d' % q.qsize())
