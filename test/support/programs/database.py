"""A server that answers `q MS` after so many ms, with a thread for each connection, and closes connections as told."""
import socket
import threading
import time

from agent import Agent


class Database:
    def __init__(self):
        self.listeners = []
        self.connections = []

    def listen(self, address, port=0):
        sock = socket.create_server((address, port), backlog=512)
        self.listeners.append(sock)
        threading.Thread(target=self._accept, args=(sock,), daemon=True).start()
        return sock.getsockname()[1]

    def _accept(self, listener):
        while True:
            sock, _ = listener.accept()
            self.connections.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            while line := sock.recv(64):
                time.sleep(int(line.split()[1]) / 1000)
                sock.sendall(b"ok\n")
        except (OSError, ValueError):
            pass
        sock.close()

    def accepted(self, least, deadline=10):
        until = time.monotonic() + deadline
        while len(self.connections) < least and time.monotonic() < until:
            time.sleep(0.01)
        return len(self.connections)

    def fin(self, count):
        """Closes the oldest connections; shutdown() ends them although a thread still reads."""
        for sock in self.connections[:count]:
            sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        del self.connections[:count]


DATABASE = Database()
Agent({name: getattr(DATABASE, name) for name in dir(DATABASE) if not name.startswith("_")}).run()
