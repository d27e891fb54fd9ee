"""A server and its clients in one process: each connection is closed by both a moment after it was made."""
import socket
import threading
import time

CLIENTS = 8

listener = socket.create_server(("127.0.0.1", 0), backlog=128)


def serve():
    while True:
        sock, _ = listener.accept()
        with sock:
            sock.recv(10)


def connect():
    while True:
        with socket.create_connection(listener.getsockname()):
            time.sleep(0.004)


for work in [serve] * 2 + [connect] * CLIENTS:
    threading.Thread(target=work, daemon=True).start()
threading.Event().wait()
