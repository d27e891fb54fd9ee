"""Clients and servers with one fault each, or its harmless look-alike, as told."""
import errno
import os
import resource
import select
import socket
import struct
import threading
import time

from agent import Agent


class Trouble:
    def __init__(self):
        self.listeners = []
        self.taken = []
        self.made = []

    def listen(self, address, port=0, backlog=512):
        sock = socket.create_server((address, port), backlog=backlog)
        self.listeners.append(sock)
        return sock.getsockname()[1]

    def accept(self, count):
        """Takes so many connections and does nothing with them."""
        for _ in range(count):
            self.taken.append(self.listeners[-1].accept()[0])

    def connect(self, address, port, count):
        self.made += [socket.create_connection((address, port)) for _ in range(count)]

    def close_made(self, count):
        """The oldest connections that were made from here."""
        for sock in self.made[:count]:
            sock.close()
        del self.made[:count]

    def close_taken(self, count):
        for sock in self.taken[:count]:
            sock.close()
        del self.taken[:count]

    def shut_taken(self, count):
        """Half-closes them, and keeps them."""
        for sock in self.taken[:count]:
            sock.shutdown(socket.SHUT_WR)

    def leave_descriptors(self, free):
        """From now on this process can open so many more, and no more."""
        probe = os.dup(0)
        os.close(probe)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (probe + free, hard))
        return probe + free

    def serve(self):
        """Accepts for ever; where that fails it tries again."""
        self._start(self._serve, self.listeners[-1])

    def _serve(self, listener):
        while True:
            try:
                self.taken.append(listener.accept()[0])
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE):
                    return
                time.sleep(0.02)

    def write(self, size):
        """As much as the peer and both buffers take, on each connection that was made."""
        total = 0
        for sock in self.made:
            sock.setblocking(False)
            block = b"x" * 65536
            left = size
            while left > 0:
                try:
                    sent = sock.send(block[:left])
                    left -= sent
                    total += sent
                except BlockingIOError:
                    break
        return total

    def keep_writing(self):
        """Blocks where the peer does not take it."""
        for sock in self.made:
            sock.setblocking(True)
            self._start(self._keep_writing, sock)

    def _keep_writing(self, sock):
        while True:
            sock.sendall(b"x" * 65536)

    def read_slowly(self, size, every_ms):
        """A little at a time, of each connection that was taken."""
        for sock in self.taken:
            self._start(self._read_slowly, sock, size, every_ms)

    def _read_slowly(self, sock, size, every_ms):
        while sock.recv(size):
            time.sleep(every_ms / 1000)

    def try_again(self, address, port, timeout_ms, pause_ms, factor=1, at_once=1):
        """Connects again and again; a timeout of 0 is none; the pause grows by `factor` after each failure."""
        for _ in range(at_once):
            self._start(self._try_again, address, port, timeout_ms, pause_ms, factor)

    def _try_again(self, address, port, timeout_ms, pause_ms, factor):
        pause = pause_ms / 1000
        while True:
            sock = socket.socket()
            try:
                sock.settimeout(timeout_ms / 1000 or None)
                sock.connect((address, port))
            except OSError:
                pass
            sock.close()
            time.sleep(pause)
            pause *= factor

    def _start(self, work, *args):
        threading.Thread(target=work, args=args, daemon=True).start()


TROUBLE = Trouble()
Agent({name: getattr(TROUBLE, name) for name in dir(TROUBLE) if not name.startswith("_")}).run()
