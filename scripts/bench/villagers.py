"""Forks COUNT processes that hold one connected TCP socket each; says `ready` and waits for the end of its input."""
import os
import resource
import signal
import socket
import sys

count = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (count + 64, count + 64))
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(1024)
children = []
held = []
for _ in range(count):
    client = socket.create_connection(listener.getsockname())
    held.append(listener.accept()[0])
    child = os.fork()
    if child == 0:
        # Only its own connection: what the parent holds would be counted for each child.
        os.close(listener.fileno())
        for other in held:
            os.close(other.fileno())
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pause()
        os._exit(0)
    client.close()
    children.append(child)
print("ready", flush=True)
sys.stdin.read()
for child in children:
    os.kill(child, signal.SIGTERM)
for child in children:
    os.waitpid(child, 0)
