"""Sockets of every kind that ss prints, in the network namespace that this runs in; ends when its stdin does."""
import os
import socket
import sys
import tempfile

kept = []
folder = tempfile.mkdtemp(prefix='sw-parse-')


def listen(family, address, backlog, device=None, v6only=None, protocol=0):
    sock = socket.socket(family, socket.SOCK_STREAM, protocol)
    if device:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode() + b'\0')
    if v6only is not None:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    sock.bind(address)
    sock.listen(backlog)
    kept.append(sock)
    return sock.getsockname()[1]


def connect(family, address, protocol=0):
    sock = socket.socket(family, socket.SOCK_STREAM, protocol)
    sock.connect(address)
    kept.append(sock)
    return sock


v4, v6 = socket.AF_INET, socket.AF_INET6
port = listen(v4, ('127.0.0.1', 0), 7)
client = connect(v4, ('127.0.0.1', port))
server = kept[-2].accept()[0]
kept.append(server)
client.send(b'x' * 1000)
client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
for _ in range(3):
    connect(v4, ('127.0.0.1', port))  # three that wait for accept()
dual = listen(v6, ('::', 0), 16, v6only=0)
connect(v4, ('127.0.0.1', dual))
connect(v6, ('::1', dual))
listen(v6, ('::', 0), 16, v6only=1)
listen(v6, ('::1', 0), 0)
listen(v4, ('0.0.0.0', 0), 3, device='lo')
listen(v6, ('::', 0), 3, device='lo', v6only=0)
half = connect(v4, ('127.0.0.1', port))
half.shutdown(socket.SHUT_WR)  # FIN-WAIT-2 here, CLOSE-WAIT in the accept queue

udp = socket.socket(v4, socket.SOCK_DGRAM)
udp.bind(('127.0.0.1', 0))
peer = socket.socket(v4, socket.SOCK_DGRAM)
peer.connect(udp.getsockname())
peer.send(b'y' * 100)
udp6 = socket.socket(v6, socket.SOCK_DGRAM)
udp6.bind(('::', 0))
kept += [udp, peer, udp6]

unix = socket.socket(socket.AF_UNIX)
unix.bind(folder + '/a 5 * 0 b')
unix.listen(5)
waiting = socket.socket(socket.AF_UNIX)
waiting.connect(folder + '/a 5 * 0 b')
abstract = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
abstract.bind(b'\0x\ny')
abstract.listen(2)
kept += [unix, waiting, abstract, *socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)]

open('/proc/self/comm', 'w').write('a"),("\nb)')
print(port, flush=True)
sys.stdin.read()
os.unlink(folder + '/a 5 * 0 b')
os.rmdir(folder)
