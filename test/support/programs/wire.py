"""What two peers do on loopback, for a capture to tell: python3 wire.py SCENARIO [FOLDER]. Prints the port of the server."""
import base64
import hashlib
import socket
import ssl
import sys
import threading
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def listen(backlog=16):
    server = socket.create_server(("127.0.0.1", 0), backlog=backlog)
    print(server.getsockname()[1], flush=True)
    return server


def get(path, extra=""):
    return f"GET {path} HTTP/1.1\r\nHost: example.test\r\n{extra}\r\n".encode()


def refused():
    server = listen()
    port = server.getsockname()[1]
    server.close()
    try:
        socket.create_connection(("127.0.0.1", port))
    except ConnectionRefusedError:
        pass


def timed_out(port):
    print(port, flush=True)
    client = socket.socket()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
    try:
        client.connect(("127.0.0.1", int(port)))
    except OSError:
        pass
    # The capture has to go on beyond the next SYN that would be due.
    time.sleep(2.5)
    refused()


def kept_alive():
    server = listen()

    def serve():
        peer, _ = server.accept()
        for _ in range(2):
            peer.recv(1000)
            peer.sendall(OK)
        time.sleep(1.2)
        peer.close()

    worker = threading.Thread(target=serve)
    worker.start()
    client = socket.create_connection(server.getsockname())
    for path in ("/one?token=secret", "/two"):
        client.sendall(get(path))
        client.recv(1000)
    client.recv(1000)
    client.close()
    worker.join()


def web_socket():
    server = listen()

    def serve():
        peer, _ = server.accept()
        key = [line for line in peer.recv(2000).decode().split("\r\n") if line.startswith("Sec-WebSocket-Key")][0].split(": ")[1]
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        peer.sendall(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        peer.sendall(b"\x81\x05hello")
        peer.recv(100)
        peer.close()

    worker = threading.Thread(target=serve)
    worker.start()
    client = socket.create_connection(server.getsockname())
    client.sendall(get("/chat", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"))
    client.recv(1000)
    client.sendall(b"\x81\x85\x00\x00\x00\x00HELLO")
    client.recv(1000)
    client.close()
    worker.join()


def tls(folder, version):
    server = listen()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    context.set_alpn_protocols(["http/1.1"])

    def serve():
        peer, _ = server.accept()
        with context.wrap_socket(peer, server_side=True) as secure:
            secure.recv(1000)
            secure.sendall(OK)

    worker = threading.Thread(target=serve)
    worker.start()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    client.set_alpn_protocols(["h2", "http/1.1"])
    client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_2 if version == "1.2" else ssl.TLSVersion.TLSv1_3
    with client.wrap_socket(socket.create_connection(server.getsockname()), server_hostname="sockwatch.test") as secure:
        secure.sendall(get("/"))
        secure.recv(1000)
    worker.join()


def overflow():
    server = listen(backlog=0)
    address = server.getsockname()
    first = socket.create_connection(address)
    waiting = []
    for _ in range(3):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(address)
        waiting.append(client)
    time.sleep(1.5)
    accepted, _ = server.accept()
    time.sleep(1.2)
    for client in (first, accepted, *waiting):
        client.close()


def late_ack(backlog):
    """The accept queue has room when the SYN comes, and none when the ACK does: the client sends that 200 ms late."""
    server = listen(backlog=int(backlog))
    address = server.getsockname()
    others = [socket.create_connection(address) for _ in range(int(backlog))]
    late = socket.socket()
    late.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
    late.setblocking(False)
    late.connect_ex(address)
    time.sleep(0.02)
    others.append(socket.create_connection(address))
    time.sleep(0.4)
    try:
        late.send(b"hello")
    except OSError:
        pass
    time.sleep(1.6)
    late.close()
    for other in others:
        other.close()


SCENARIOS = {
    "refused": refused,
    "timed_out": timed_out,
    "kept_alive": kept_alive,
    "web_socket": web_socket,
    "tls": tls,
    "overflow": overflow,
    "late_ack": late_ack,
}
SCENARIOS[sys.argv[1]](*sys.argv[2:])
