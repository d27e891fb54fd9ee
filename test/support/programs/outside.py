"""Leaves a listener in another network namespace, where it lives on without any process: outside.py /run/netns/NAME BACKLOG."""
import ctypes
import json
import os
import socket
import sys

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def enter(path):
    fd = os.open(path, os.O_RDONLY)
    if libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), path)
    os.close(fd)


enter(sys.argv[1])
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(int(sys.argv[2]))
enter("/proc/1/ns/net" if len(sys.argv) < 4 else sys.argv[3])
inode = os.fstat(listener.fileno()).st_ino
print(json.dumps({"port": listener.getsockname()[1], "inode": inode}), flush=True)
sys.stdin.read()
