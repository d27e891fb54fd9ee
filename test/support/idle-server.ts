/**
 * A program for python3 at port 4000: answers each request, and ends what was idle for two seconds, with a reset if told so. Says when it
 * listens.
 */
export const idleServer = (address: string, { reset = false } = {}): string => `
import socket, struct, threading
def serve(sock):
    sock.settimeout(2)
    try:
        while sock.recv(64):
            sock.sendall(b"ok")
    except OSError:
        pass
${reset ? '    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))\n' : ''}    sock.close()
listener = socket.create_server(("${address}", 4000), backlog=512)
print("listening", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
`;
