import { deviceNameOf, diagError, loadSystemCalls, type SystemCalls } from './netlink-socket.js';
import { type NamespacePlace, withinNamespace } from './netns-enter.js';

/** Hears of every TCP socket of one network namespace that ends. */
export interface ClosedSocket {
  /** Takes one message: its size; 0 where there is none now; LOST where the kernel says that some did not fit. Throws `SourceError`. */
  receive(buffer: Uint8Array): number;
  /** How many did not fit since it was opened, as the kernel counts them; `undefined`: it does not say. Wraps at 2^32. */
  countLost(): number | undefined;
  /** What the kernel keeps for us until it is read, in its own measure. */
  readonly bufferBytes: number;
  /** Lets the kernel keep more, or less. */
  resize(bufferBytes: number): void;
  /** The name of a device of the namespace of the socket, `if7` where it has none. */
  deviceName(index: number): string;
  close(): void;
}

export const LOST = -1;

/** Opens one. Throws `SourceError`. */
export type OpenClosedSocket = (bufferBytes: number) => Promise<ClosedSocket>;

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SO_MEMINFO = 55;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const SKNLGRP_INET_TCP_DESTROY = 1;
const SKNLGRP_INET6_TCP_DESTROY = 3;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
/** SK_MEMINFO_DROPS, the ninth number of SO_MEMINFO (since Linux 4.12). */
const DROPS = 8;
const ADDRESS_BYTES = 12;
const EINTR = 4;
const EAGAIN = 11;
const ENOBUFS = 105;

const int = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer);

/** In the namespace of this thread. */
export const openClosedSocket: OpenClosedSocket = async (bufferBytes) =>
  open(await loadSystemCalls(), bufferBytes);

/** In another one, which is kept as long as the socket is open: the thread comes back at once. Throws `NamespaceError`. */
export const openClosedSocketIn =
  (place: NamespacePlace): OpenClosedSocket =>
  async (bufferBytes) => {
    const calls = await loadSystemCalls();
    return withinNamespace(calls, place, () => open(calls, bufferBytes));
  };

function open(calls: SystemCalls, bufferBytes: number): ClosedSocket {
  const fd = calls.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) throw diagError('open a socket of sock_diag', calls.errno());
  const set = (level: number, name: number, value: number) =>
    calls.setsockopt(fd, level, name, int(value), 4) >= 0;
  const fail = (what: string) => {
    const errno = calls.errno();
    calls.close(fd);
    return diagError(what, errno);
  };
  setBuffer(calls, fd, bufferBytes);
  // Without an address of its own the kernel takes it for itself, and tells it nothing.
  const address = new Uint8Array(ADDRESS_BYTES);
  new Uint16Array(address.buffer)[0] = AF_NETLINK;
  if (calls.bind(fd, address, ADDRESS_BYTES) < 0) throw fail('get an address for a socket of sock_diag');
  for (const group of [SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY])
    if (!set(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)) throw fail('hear of sockets that end');
  return new OpenSocket(fd, calls);
}

/** Beyond net.core.rmem_max only with CAP_NET_ADMIN; without it as much as everybody may have. */
function setBuffer(calls: SystemCalls, fd: number, bufferBytes: number): void {
  // The kernel doubles what it is given.
  const half = int(bufferBytes / 2);
  if (calls.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, half, 4) < 0)
    calls.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, half, 4);
}

class OpenSocket implements ClosedSocket {
  bufferBytes: number;
  private readonly memory = new Uint32Array(DROPS + 1);
  private readonly length = new Uint32Array(1);

  constructor(
    private readonly fd: number,
    private readonly calls: SystemCalls,
  ) {
    this.bufferBytes = this.readBuffer();
  }

  resize(bufferBytes: number): void {
    setBuffer(this.calls, this.fd, bufferBytes);
    this.bufferBytes = this.readBuffer();
  }

  receive(buffer: Uint8Array): number {
    for (;;) {
      const size = this.calls.recv(this.fd, buffer, buffer.length, MSG_TRUNC | MSG_DONTWAIT);
      if (size > 0) return size;
      if (size === 0) return 0;
      const errno = this.calls.errno();
      if (errno === EAGAIN) return 0;
      if (errno === ENOBUFS) return LOST;
      if (errno !== EINTR) throw diagError('hear of sockets that end', errno);
    }
  }

  countLost(): number | undefined {
    return this.option(SO_MEMINFO, DROPS + 1) === undefined ? undefined : this.memory[DROPS];
  }

  deviceName(index: number): string {
    return deviceNameOf(this.calls, this.fd, index);
  }

  close(): void {
    this.calls.close(this.fd);
  }

  private readBuffer(): number {
    return this.option(SO_RCVBUF, 1) === undefined ? 0 : (this.memory[0] ?? 0);
  }

  /** Reads so many words of an option into `memory`; `undefined` where the kernel has fewer. */
  private option(name: number, words: number): true | undefined {
    const { calls, fd, memory, length } = this;
    length[0] = words * 4;
    const bytes = (of: Uint32Array) => new Uint8Array(of.buffer);
    const failed = calls.getsockopt(fd, SOL_SOCKET, name, bytes(memory), bytes(length)) < 0;
    return failed || length[0] < words * 4 ? undefined : true;
  }
}
