# A client with another TLS (OpenSSL's) that asks and asks, and reads the answers later.
import array
import fcntl
import os
import socket
import ssl
import struct
import sys
import termios
import threading
import time
from multiprocessing import connection
from multiprocessing.reduction import ForkingPickler

SIZE = 32 << 10

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.load_cert_chain(os.environ['FILE'])
context.load_verify_locations(os.environ['FILE'])


class Framed:
    def __init__(self):
        stream = socket.socket()
        stream.settimeout(20)
        # Before it connects: some kernels would take tens of megabytes.
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        stream.connect(('127.0.0.1', int(os.environ['PORT'])))
        self.stream = context.wrap_socket(stream, server_hostname='server.distributed')
        self.reader = self.stream.makefile('rb')
        connection.answer_challenge(self, b'abc')
        connection.deliver_challenge(self, b'abc')

    def send_bytes(self, body):
        self.stream.sendall(struct.pack('!i', len(body)) + body)

    def recv_bytes(self, limit=None):
        return self.reader.read(*struct.unpack('!i', self.reader.read(4)))

    def ask(self, *request):
        self.send_bytes(bytes(ForkingPickler.dumps(request)))
        kind, value = ForkingPickler.loads(self.recv_bytes())
        assert kind in ('#RETURN', '#PROXY'), (kind, value)
        return value


token = Framed().ask(None, 'create', ('get_task_queue',), {})
ident = token[0] if isinstance(token, tuple) else token.id
c = Framed()
assert c.stream.version() == 'TLSv1.3'
c.ask(None, 'accept_connection', ('greedy',), {})
c.ask(ident, 'put_tasks', ([('large', None)],), {})
[(lease, _, _, _)] = c.ask(ident, 'take', (), {})
c.ask(ident, 'complete', ([(lease, b'x' * SIZE)],), {})
[(_, _, _, value)] = c.ask(ident, 'results', (0,), {})
assert value == b'x' * SIZE
# More than the kernels on both sides take, in pieces that TLS takes whole.
ANSWERS = 300
request = bytes(ForkingPickler.dumps((ident, 'results', (0,), {})))
sender = threading.Thread(target=lambda: [c.send_bytes(request) for _ in range(ANSWERS)])
sender.start()


def unread():
    count = array.array('i', [0])
    fcntl.ioctl(c.stream.fileno(), termios.FIONREAD, count)
    return count[0]


# Until nothing more comes.
before = -1
while before < unread():
    before = unread()
    time.sleep(0.2)
print('asked', flush=True)
sys.stdin.readline()
answers = {c.recv_bytes() for _ in range(ANSWERS)}
assert len(answers) == 1, 'they differ'
sender.join()
print('read', flush=True)
