"""How the tests spell sockets: {"address", "port"} with options, or a Unix path as hex (it need not be UTF-8)."""
import socket

IPPROTO_MPTCP = 262


def make_socket(kind="tcp", address=None, **_):
    if kind.startswith("unix"):
        style = socket.SOCK_SEQPACKET if kind == "unix-seqpacket" else socket.SOCK_STREAM
        return socket.socket(socket.AF_UNIX, style)
    family = socket.AF_INET6 if ":" in (address or "") else socket.AF_INET
    if kind == "udp":
        return socket.socket(family, socket.SOCK_DGRAM)
    return socket.socket(family, socket.SOCK_STREAM, IPPROTO_MPTCP if kind == "mptcp" else 0)


def name_of(kind="tcp", address=None, port=0, path_hex=None, **_):
    if kind.startswith("unix"):
        return bytes.fromhex(path_hex)
    return socket.getaddrinfo(address, port)[0][4]  # with the scope of a zone (fe80::1%eth0)
