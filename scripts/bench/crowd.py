"""Holds COUNT pairs of connected TCP sockets on loopback, and one listener; says `ready` and waits for the end of its input."""
import resource
import socket
import sys

count = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (count * 2 + 64, count * 2 + 64))
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(1024)
held = []
for _ in range(count):
    client = socket.create_connection(listener.getsockname())
    held.append((client, listener.accept()[0]))
print("ready", flush=True)
sys.stdin.read()
