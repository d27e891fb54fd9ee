"""One socket of every kind that the kernel can list, standing still, in the network namespace that this runs in.

Prints a line when all stand; ends when its stdin does. Needs root, for a SYN that nobody follows up."""
import os
import socket
import struct
import subprocess
import sys
import tempfile

IPPROTO_MPTCP = 262
V4, V6 = socket.AF_INET, socket.AF_INET6
NOBODY = "10.88.0.9"
kept = []
folder = tempfile.mkdtemp(prefix="sw-odd-")


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def keep(sock):
    kept.append(sock)
    return sock


def listen(family, address, backlog, device=None, v6only=None, protocol=0, reuseport=False, options=()):
    sock = keep(socket.socket(family, socket.SOCK_STREAM, protocol))
    if device:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode() + b"\0")
    if v6only is not None:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    if reuseport:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    for level, name, value in options:
        sock.setsockopt(level, name, value)
    sock.bind(address)
    sock.listen(backlog)
    return sock


def connect(family, address, protocol=0, blocking=True):
    sock = keep(socket.socket(family, socket.SOCK_STREAM, protocol))
    sock.setblocking(blocking)
    sock.connect_ex(address) if not blocking else sock.connect(address)
    return sock


def pair(listener, family=V4):
    """Both ends of an accepted connection."""
    client = connect(family, listener.getsockname()[:2])
    return client, keep(listener.accept()[0])


def fill(sock):
    """Sends until the peer's window is closed."""
    sock.setblocking(False)
    try:
        while True:
            sock.send(b"z" * 65536)
    except BlockingIOError:
        pass


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def half_open(source, port):
    """A SYN from an address that never answers: the listener's side stays in SYN-RECV."""
    addresses = socket.inet_aton(source) + socket.inet_aton("127.0.0.1")
    tcp = struct.pack("!HHIIBBHHH", 40000, port, 7, 0, 5 << 4, 2, 1024, 0, 0)
    tcp = tcp[:16] + struct.pack("!H", checksum(addresses + struct.pack("!BBH", 0, 6, len(tcp)) + tcp)) + tcp[18:]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0) + addresses
    raw = socket.socket(V4, socket.SOCK_RAW, socket.IPPROTO_RAW)
    raw.sendto(header + tcp, ("127.0.0.1", 0))
    raw.close()


def listeners():
    listen(V6, ("::", 0), 16, v6only=1)
    listen(V6, ("::1", 0), 0)
    listen(V4, ("0.0.0.0", 0), 3, device="lo")
    listen(V6, ("::", 0), 3, device="lo", v6only=0)
    listen(V6, ("::ffff:127.0.0.1", 0), 9, v6only=0)
    ip("link", "add", "odd0", "type", "veth", "peer", "name", "odd1")
    ip("link", "set", "odd0", "up")
    ip("link", "set", "odd1", "up")
    ip("address", "add", "fe80::77:1/64", "dev", "odd0", "nodad")
    zone = socket.getaddrinfo("fe80::77:1%odd0", 0, V6, socket.SOCK_STREAM)[0][4]
    listen(V6, zone, 5)
    first = listen(V4, ("127.0.0.1", 0), 4, reuseport=True)
    listen(V4, first.getsockname(), 6, reuseport=True)
    over = listen(V4, ("127.0.0.1", 0), 2)
    for _ in range(3):
        connect(V4, over.getsockname())
    over.listen(1)  # three of a backlog of one


def states():
    server = listen(V4, ("127.0.0.1", 0), 64)
    address = server.getsockname()
    client, accepted = pair(server)
    client.send(b"x" * 1000)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    accepted.send(b"y" * 10)
    for _ in range(3):
        connect(V4, address)  # three that wait for accept()
    connect(V4, address).shutdown(socket.SHUT_WR)  # FIN-WAIT-2, and CLOSE-WAIT in the accept queue
    gone = connect(V4, address)  # its reset leaves the queue longer than the rows
    gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    gone.close()
    client, accepted = pair(server)
    fill(client)
    client.shutdown(socket.SHUT_WR)  # FIN-WAIT-1 behind a closed window, with a persist timer
    busy = listen(V4, ("127.0.0.1", 0), 64)
    client, accepted = pair(busy)
    client.shutdown(socket.SHUT_WR)
    fill(accepted)
    accepted.shutdown(socket.SHUT_WR)  # LAST-ACK
    client, accepted = pair(busy)
    client.close()
    accepted.close()  # TIME-WAIT
    orphans = pair(busy)
    orphans[0].close()  # FIN-WAIT-2 of nobody, CLOSE-WAIT of this process
    connect(V4, (NOBODY, 9), blocking=False)  # SYN-SENT
    half_open(NOBODY, address[1])
    defer = listen(V4, ("127.0.0.1", 0), 8, options=[(socket.IPPROTO_TCP, 9, 30)])  # TCP_DEFER_ACCEPT
    connect(V4, defer.getsockname())
    dual = listen(V6, ("::", 0), 16, v6only=0)
    port = dual.getsockname()[1]
    connect(V4, ("127.0.0.1", port))
    connect(V6, ("::1", port))
    connect(V6, ("::ffff:127.0.0.1", port))
    keep(dual.accept()[0])


def mptcp():
    server = listen(V4, ("127.0.0.1", 0), 5, protocol=IPPROTO_MPTCP)
    connect(V4, server.getsockname(), IPPROTO_MPTCP)
    keep(server.accept()[0])
    connect(V4, server.getsockname(), IPPROTO_MPTCP)
    connect(V4, server.getsockname())
    listen(V6, ("::", 0), 5, protocol=IPPROTO_MPTCP, v6only=1)


def udp():
    plain = keep(socket.socket(V4, socket.SOCK_DGRAM))
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.bind(("127.0.0.1", 0))
    peer = keep(socket.socket(V4, socket.SOCK_DGRAM))
    peer.connect(plain.getsockname())
    for _ in range(20):
        peer.send(b"y" * 1000)  # more than fits
    for v6only, address in ((0, "::"), (1, "::"), (0, "::1")):
        sock = keep(socket.socket(V6, socket.SOCK_DGRAM))
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
        sock.bind((address, 0))
    mapped = keep(socket.socket(V6, socket.SOCK_DGRAM))
    mapped.connect(("::ffff:127.0.0.1", plain.getsockname()[1]))
    bound = keep(socket.socket(V4, socket.SOCK_DGRAM))
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"odd0\0")
    bound.bind(("0.0.0.0", 0))


def unix():
    names = [
        f"{folder}/a 5 * 0 b".encode(),
        f"{folder}/".encode() + b"\xff\xfe",
        f"{folder}/new\nline".encode(),
        b"\0x\ny",
        b"\0zero\0inside\0",
        b"\0\xc3\x28",
        b"\0" + b"l" * 107,
    ]
    for name in names:
        sock = keep(socket.socket(socket.AF_UNIX))
        sock.bind(name)
        sock.listen(5)
    waiting = keep(socket.socket(socket.AF_UNIX))
    waiting.connect(names[0])
    sequence = keep(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    sequence.bind(b"\0sequence")
    sequence.listen(2)
    first, second = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    keep(first).send(b"u" * 50)
    keep(second)
    kept.extend(socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
    keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)).bind(b"\0datagrams")
    return names


ip("route", "add", "10.88.0.0/24", "dev", "lo")
listeners()
states()
if os.path.exists("/proc/sys/net/mptcp/enabled"):
    mptcp()
udp()
paths = [name for name in unix() if name[0] != 0]
print("ready", flush=True)
sys.stdin.read()
for path in paths:
    os.unlink(path)
os.rmdir(folder)
