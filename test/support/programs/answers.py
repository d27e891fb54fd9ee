"""A server that answers, and clients that ask it, over TCP and MPTCP on loopback: connections that end as told, one after the other."""
import socket
import struct
import time

from agent import Agent

PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "mptcp": 262}
QUESTION = b"x" * 10
listeners = {}


def listen(protocol="tcp"):
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, PROTOCOLS[protocol])
    server.bind(("127.0.0.1", 0))
    server.listen(16)
    port = server.getsockname()[1]
    listeners[port] = server
    return {"port": port}


def read_all(end, size):
    while size > 0:
        size -= len(end.recv(size))


def answer(port, protocol="tcp", count=1, size=1000, first="client", abort=False, hold=0):
    """Each is asked once and held for some seconds; `first` closes, with a RST where it aborts, and the other one when it has noticed."""
    for _ in range(count):
        client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, PROTOCOLS[protocol])
        client.connect(("127.0.0.1", port))
        server, _ = listeners[port].accept()
        client.sendall(QUESTION)
        read_all(server, len(QUESTION))
        server.sendall(b"y" * size)
        read_all(client, size)
        one, other = (client, server) if first == "client" else (server, client)
        if abort:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        time.sleep(hold)
        one.close()
        try:
            other.recv(1)
        except ConnectionResetError:
            pass
        other.close()
    return {"answered": count}


Agent({"listen": listen, "answer": answer}).run()
