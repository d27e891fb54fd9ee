"""Servers that take no more connections: each with its reason."""
import ctypes
import os
import selectors
import signal
import socket
import threading

from agent import Agent

PR_SET_PDEATHSIG = 1


class Servers:
    def __init__(self):
        self.held = []

    def blocking(self, address, backlog, threads):
        """Each thread serves one connection until that is closed."""
        sock = self._listen(address, backlog)
        for _ in range(threads):
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()
        return self._where(sock)

    def _serve(self, sock):
        while True:
            connection, _ = sock.accept()
            while data := connection.recv(4096):
                connection.sendall(data)
            connection.close()

    def prefork(self, address, backlog, workers):
        """A process for each connection until that is closed; the one that forked them sleeps."""
        sock = self._listen(address, backlog)
        master, ready = os.getpid(), os.pipe()
        if os.fork() == 0:
            self._end_with(master)
            chief = os.getpid()
            for _ in range(workers):
                if os.fork() == 0:
                    self._end_with(chief)
                    self._serve(sock)
            os.write(ready[1], b"x")
            while True:
                signal.pause()
        os.read(ready[0], 1)
        where = self._where(sock)
        sock.close()
        return where

    @staticmethod
    def _end_with(parent):
        """Where the process that made this one ends, this one does."""
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    def silent(self, address, backlog):
        """Takes connections into its queue and never answers."""
        sock = self._listen(address, backlog)
        self.held.append(sock)
        return self._where(sock)

    def asking(self, address, backlog, threads, port):
        """Each thread asks the server at `port` for each connection, and waits for its answer."""
        sock = self._listen(address, backlog)
        for _ in range(threads):
            other = socket.create_connection((address, port))
            threading.Thread(target=self._ask, args=(sock, other), daemon=True).start()
        return self._where(sock)

    def _ask(self, sock, other):
        while True:
            connection, _ = sock.accept()
            other.sendall(b"question")
            connection.sendall(other.recv(4096))
            connection.close()

    def waiting(self, address, backlog, most):
        """One thread for all of them, and no more than so many: after them it does not look at the listener any more."""
        sock = self._listen(address, backlog)
        threading.Thread(target=self._wait, args=(sock, most), daemon=True).start()
        return self._where(sock)

    def _wait(self, sock, most):
        selector = selectors.EpollSelector()
        selector.register(sock, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is sock:
                    connection, _ = sock.accept()
                    self.held.append(connection)
                    selector.register(connection, selectors.EVENT_READ)
                    if len(self.held) >= most:
                        selector.unregister(sock)
                else:
                    key.fileobj.sendall(key.fileobj.recv(4096))

    @staticmethod
    def _listen(address, backlog):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, 0))
        sock.listen(backlog)
        return sock

    @staticmethod
    def _where(sock):
        return {"port": sock.getsockname()[1], "pid": os.getpid()}


SERVERS = Servers()
Agent(
    {
        "asking": SERVERS.asking,
        "blocking": SERVERS.blocking,
        "prefork": SERVERS.prefork,
        "silent": SERVERS.silent,
        "waiting": SERVERS.waiting,
    }
).run()
