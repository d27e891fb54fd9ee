"""Clients that connect, send, and leave as told: by FIN, or by RST (SO_LINGER with no time)."""
import errno
import select
import socket
import struct
import threading
import time

from addresses import make_socket, name_of
from agent import Agent


class Clients:
    def __init__(self):
        self.sockets = []

    def connect(self, count, expect=None, deadline=10, **where):
        """Starts `count` connections and waits until `expect` of them (default: all) are complete."""
        started = [self.start(where) for _ in range(count)]
        first = len(self.sockets)
        self.sockets += [sock for sock, _ in started]
        waiting = {sock for sock, error in started if error == errno.EINPROGRESS}
        done = sum(error == 0 for _, error in started)
        refused = [errno.errorcode[error] for _, error in started if error not in (0, errno.EINPROGRESS)]
        until = time.monotonic() + deadline
        while done < (count if expect is None else expect) and waiting and time.monotonic() < until:
            for sock in select.select([], list(waiting), [], 0.1)[1]:
                waiting.discard(sock)
                error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                done += error == 0
                refused += [] if error == 0 else [errno.errorcode[error]]
        return {"first": first, "connected": done, "pending": len(waiting), "refused": refused}

    def start(self, where):
        sock = make_socket(**where)
        sock.setblocking(False)
        return sock, sock.connect_ex(name_of(**where))

    def ports(self, first, count):
        return [sock.getsockname()[1] for sock in self.sockets[first:first + count]]

    def send(self, first, count, size):
        for sock in self.sockets[first:first + count]:
            sock.sendall(b"x" * size)

    def fin(self, first, count):
        for sock in self.sockets[first:first + count]:
            sock.close()

    def reset(self, first, count):
        for sock in self.sockets[first:first + count]:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()

    def block(self, **where):
        """A connect() that blocks, in a thread: what a client of a full Unix listener does."""
        sock = make_socket(**where)
        self.sockets.append(sock)
        threading.Thread(target=lambda: sock.connect_ex(name_of(**where)), daemon=True).start()

    def datagrams(self, address, port, count, size):
        sock = make_socket("udp", address)
        for _ in range(count):
            sock.sendto(b"x" * size, (address, port))
        sock.close()


CLIENTS = Clients()
Agent({name: getattr(CLIENTS, name) for name in dir(CLIENTS) if not name.startswith("_")}).run()
