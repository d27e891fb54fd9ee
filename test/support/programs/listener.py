"""A server whose accepting the test decides: it takes a connection only when told to, or all of them between run and stop."""
import errno
import os
import resource
import signal
import socket
import time

from addresses import make_socket, name_of
from agent import Agent, die_with_parent, set_name


class Listener:
    def __init__(self):
        self.sockets = []
        self.accepted = []
        self.running = {}
        self.children = []

    def listen(self, backlog, v6only=None, reuseport=False, device=None, **where):
        sock = make_socket(**where)
        if where.get("kind", "tcp") in ("tcp", "mptcp"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if v6only is not None:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(v6only))
        if reuseport:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if device is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        sock.bind(name_of(**where))
        sock.listen(backlog)
        sock.setblocking(False)
        self.sockets.append(sock)
        port = None if where.get("kind", "tcp").startswith("unix") else sock.getsockname()[1]
        return {"socket": len(self.sockets) - 1, "port": port, "inode": os.fstat(sock.fileno()).st_ino, "fd": sock.fileno()}

    def relisten(self, index, backlog):
        self.sockets[index].listen(backlog)

    def accept(self, index, count, deadline=10):
        until = time.monotonic() + deadline
        taken = 0
        while taken < count and time.monotonic() < until:
            if self.take(self.sockets[index]):
                taken += 1
            else:
                time.sleep(0.005)
        return {"accepted": taken}

    def take(self, sock):
        try:
            self.accepted.append(sock.accept()[0])
            return True
        except BlockingIOError:
            return False

    def run(self, index):
        """Takes and closes whatever comes, until `stop`."""
        sock = self.sockets[index]

        def serve():
            try:
                sock.accept()[0].close()
            except OSError:
                pass  # a client that left meanwhile

        if not self.running.get(index):
            AGENT.selector.register(sock, 1, serve)
            self.running[index] = True

    def stop(self, index):
        if self.running.pop(index, False):
            AGENT.selector.unregister(self.sockets[index])

    def close(self, index):
        self.stop(index)
        self.sockets[index].close()

    def close_accepted(self):
        for sock in self.accepted:
            sock.close()
        self.accepted.clear()

    def burst(self, index, count, hold_ms):
        """Connects `count` times to a socket of its own at once, accepts them all `hold_ms` later, and ends every one of them."""
        sock = self.sockets[index]
        started = time.monotonic()
        clients = [socket.socket(sock.family, socket.SOCK_STREAM) for _ in range(count)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex(sock.getsockname())
        time.sleep(max(0, started + hold_ms / 1000 - time.monotonic()))
        taken = 0
        while self.take(sock):
            taken += 1
        held = time.monotonic() - started
        for client in clients:
            client.close()  # before the SYN of one that was turned away is sent again
        self.close_accepted()
        return {"accepted": taken, "held_ms": held * 1000}

    def limit_files(self, free):
        """Lets this process open `free` more descriptors, and no more."""
        probe = os.dup(0)
        os.close(probe)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (probe + free, hard))
        return {"limit": probe + free}

    def accept_until_error(self, index):
        taken = 0
        while True:
            try:
                self.accepted.append(self.sockets[index].accept()[0])
                taken += 1
            except OSError as error:
                return {"accepted": taken, "error": errno.errorcode[error.errno]}

    def fork(self, count):
        """Children that share every socket and do nothing until this process ends."""
        pids = []
        for _ in range(count):
            pid = os.fork()
            if pid == 0:
                die_with_parent()
                while True:
                    signal.pause()
            pids.append(pid)
        self.children += pids
        return {"pids": pids}

    def rename(self, name_hex):
        set_name(bytes.fromhex(name_hex))

    def udp(self, address, receive_buffer):
        """A UDP socket that nobody reads."""
        sock = make_socket("udp", address)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.bind((address, 0))
        self.sockets.append(sock)
        return {"socket": len(self.sockets) - 1, "port": sock.getsockname()[1], "inode": os.fstat(sock.fileno()).st_ino}


SERVER = Listener()
AGENT = Agent({name: getattr(SERVER, name) for name in dir(SERVER) if not name.startswith("_")})
AGENT.run()
for child in SERVER.children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
