"""A client that keeps connections, uses some, replaces them, or makes one for each request, as told."""
import socket
import threading
import time

from agent import Agent


class Pool:
    def __init__(self):
        self.sockets = []
        self.going = True

    def open(self, address, port, count):
        first = len(self.sockets)
        self.sockets += [socket.create_connection((address, port)) for _ in range(count)]
        return first

    def query(self, first, count, ms):
        """One request on each, whose answer is waited for."""
        for sock in self.sockets[first:first + count]:
            sock.sendall(b"q %d\n" % ms)
        for sock in self.sockets[first:first + count]:
            sock.recv(3)

    def ask(self, first, count, ms):
        """Requests whose answers come later."""
        for sock in self.sockets[first:first + count]:
            sock.sendall(b"q %d\n" % ms)

    def busy(self, first, count, ms):
        """A request behind the other on each of them, never all at the same moment."""
        for index, sock in enumerate(self.sockets[first:first + count]):
            self._start(self._repeat, sock, ms and ms + 13 * index)

    def _repeat(self, sock, ms):
        while self.going:
            sock.sendall(b"q %d\n" % ms)
            sock.recv(3)

    def paced(self, first, count, every_ms):
        """A request on each of them every so often."""
        for sock in self.sockets[first:first + count]:
            self._start(self._pace, sock, every_ms)

    def _pace(self, sock, every_ms):
        while self.going:
            sock.sendall(b"q 0\n")
            sock.recv(4)
            time.sleep(every_ms / 1000)

    def churn(self, address, port, every_ms, ms=0):
        """A new connection for each request, which takes so long."""
        self._start(self._churn, address, port, every_ms, ms)

    def _churn(self, address, port, every_ms, ms):
        while self.going:
            with socket.create_connection((address, port)) as sock:
                sock.sendall(b"q %d\n" % ms)
                sock.recv(3)
            time.sleep(every_ms / 1000)

    def replace(self, address, port, after_ms):
        """All of them again, at once, after a time."""
        self._start(self._replace, address, port, after_ms)

    def _replace(self, address, port, after_ms):
        time.sleep(after_ms / 1000)
        old, self.sockets = self.sockets, []
        for sock in old:
            sock.close()
        self.open(address, port, len(old))

    def grow(self, address, port, every_ms):
        self._start(self._grow, address, port, every_ms)

    def _grow(self, address, port, every_ms):
        while self.going:
            self.open(address, port, 1)
            time.sleep(every_ms / 1000)

    def _start(self, work, *args):
        threading.Thread(target=work, args=args, daemon=True).start()


POOL = Pool()
Agent({name: getattr(POOL, name) for name in dir(POOL) if not name.startswith("_")}).run()
