"""Opens connections at a steady rate, each for one HTTP request, and reads what comes until the other side closes.

paced.py PORT RATE COUNT [PROCESSES]: RATE per second and COUNT in all, shared by the processes. Who is late goes on without a pause.
Prints one line of JSON: {"done": connections that were answered, "seconds": how long it took}.
"""
import json
import os
import socket
import sys
import time

REQUEST = b'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'


def once(port):
    client = socket.socket()
    client.connect(('127.0.0.1', port))
    client.sendall(REQUEST)
    answered = False
    while client.recv(4096):
        answered = True
    client.close()
    return answered


def run(port, rate, count):
    start = time.monotonic()
    done = 0
    for number in range(count):
        wait = start + number / rate - time.monotonic()
        if wait > 0.001:
            time.sleep(wait)
        done += once(port)
    return done


def main(port, rate, count, processes=2):
    start = time.monotonic()
    pipes = []
    for number in range(processes):
        share = count // processes + (number < count % processes)
        read, write = os.pipe()
        if os.fork() == 0:
            os.write(write, b'%d' % run(port, rate / processes, share))
            os._exit(0)
        os.close(write)
        pipes.append(read)
    done = sum(int(os.read(pipe, 100) or b'0') for pipe in pipes)
    print(json.dumps({'done': done, 'seconds': time.monotonic() - start}), flush=True)


if __name__ == '__main__':
    main(*[int(argument) for argument in sys.argv[1:]])
