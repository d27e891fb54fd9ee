"""A slow cable between two network namespaces: every packet arrives after a while, in order."""
import collections
import ctypes
import fcntl
import os
import struct
import threading
import time

from agent import Agent

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x1001
LIBC = ctypes.CDLL(None, use_errno=True)


def open_tun(namespace, name):
    """A device of this thread's namespace, which is `namespace` from here on."""
    with open(namespace) as there:
        if LIBC.setns(there.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN_NO_PI))
    return tun


class Cable:
    """One direction: read here, written there `delay_ms` later."""

    def __init__(self, source, target, delay_ms):
        self.source, self.target, self.delay = source, target, delay_ms / 1000
        self.queue = collections.deque()
        self.filled = threading.Condition()
        for work in (self.read, self.write):
            threading.Thread(target=work, daemon=True).start()

    def read(self):
        while True:
            packet = os.read(self.source, 65536)
            with self.filled:
                self.queue.append((time.monotonic() + self.delay, packet))
                self.filled.notify()

    def write(self):
        while True:
            with self.filled:
                while not self.queue:
                    self.filled.wait()
                due, packet = self.queue.popleft()
            time.sleep(max(0, due - time.monotonic()))
            try:
                os.write(self.target, packet)
            except OSError:
                pass  # the other end is down


def connect(first, second, device, delay_ms):
    tuns = [open_tun(namespace, device) for namespace in (first, second)]
    Cable(tuns[0], tuns[1], delay_ms)
    Cable(tuns[1], tuns[0], delay_ms)


Agent({"connect": connect}).run()
