"""Ends TCP connections in every way that the kernel tells apart, on loopback, one after the other.

Prints one line of JSON for each: what was done, and the ports of both ends.
"""
import json
import socket
import struct
import sys
import time

FAMILIES = {'4': (socket.AF_INET, '127.0.0.1'), '6': (socket.AF_INET6, '::1')}
STEP = 0.02
# Whoever looks once in a while shall see the listener.
HOLD = 0.6


def say(what, client=0, server=0):
    print(json.dumps({'what': what, 'client': client, 'server': server}), flush=True)


def listen(family, host, backlog=16):
    listener = socket.socket(family)
    listener.bind((host, 0))
    listener.listen(backlog)
    return listener


def pair(what, host, listener, data=True, idle=0.0):
    """A connection with 10 bytes there and 20 back."""
    client = socket.socket(listener.family)
    client.connect(listener.getsockname())
    server, _ = listener.accept()
    say(what, client.getsockname()[1], server.getsockname()[1])
    if data:
        client.sendall(b'x' * 10)
        server.recv(100)
        server.sendall(b'y' * 20)
        client.recv(100)
    time.sleep(idle)
    return client, server


def end(first, second, abort=False):
    if abort:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    first.close()
    time.sleep(STEP)
    second.close()
    time.sleep(STEP)


def all_endings(family, host):
    listener = listen(family, host)
    time.sleep(HOLD)
    client, server = pair('client first', host, listener)
    end(client, server)
    client, server = pair('server first', host, listener)
    end(server, client)
    client, server = pair('without data', host, listener, data=False, idle=0.1)
    end(client, server)
    client, server = pair('idle', host, listener, idle=0.4)
    end(server, client)
    client, server = pair('client aborts', host, listener)
    end(client, server, abort=True)
    client, server = pair('server aborts', host, listener)
    end(server, client, abort=True)
    client, server = pair('client leaves data unread', host, listener)
    server.sendall(b'z')
    time.sleep(STEP)
    end(client, server)
    port = listener.getsockname()[1]
    listener.close()
    time.sleep(STEP)
    refused = socket.socket(family)
    refused.setblocking(False)
    refused.bind((host, 0))
    say('refused', refused.getsockname()[1], port)
    try:
        refused.connect((host, port))
    except OSError:
        pass
    time.sleep(STEP)
    refused.close()
    refused = socket.socket(family)
    say('refused, blocking', 0, port)
    try:
        refused.connect((host, port))
    except OSError:
        pass
    refused.close()
    time.sleep(STEP)


if __name__ == '__main__':
    for name in sys.argv[1:] or ['4', '6']:
        all_endings(*FAMILIES[name])
