import { SourceError, type SourceFault } from '../model/errors.js';

/** One socket of NETLINK_SOCK_DIAG, in the network namespace in which its thread was when it was opened. */
export interface DiagSocket {
  /** Throws `SourceError`. */
  send(request: Uint8Array): void;
  /** Waits for the next part of an answer; gives its size, which is more than the buffer's where it was cut off. Throws `SourceError`. */
  receive(buffer: Uint8Array): number;
  /** The name of a device of the namespace of this thread, `if7` where it has none. */
  deviceName(index: number): string;
  close(): void;
}

/** Opens one; `timeoutMs`: the longest wait for one part of an answer. Throws `SourceError` where the host has no sock_diag for us. */
export type OpenDiagSocket = (timeoutMs: number) => Promise<DiagSocket>;

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVTIMEO = process.arch.startsWith('ppc') ? 18 : 20;
/** The answer comes as it is read: room for some parts is enough, and needs no privilege. */
const RECEIVE_BUFFER_BYTES = 1 << 20;
/** recv() then gives the whole size of what it had to cut off. */
const MSG_TRUNC = 0x20;
const IF_NAMESIZE = 16;

/** errno(3), the same on every architecture of Linux that Node runs on. */
const EPERM = 1;
const EINTR = 4;
const EAGAIN = 11;
const EACCES = 13;
const EAFNOSUPPORT = 97;
const EPROTONOSUPPORT = 93;
const ENOBUFS = 105;

export interface SystemCalls {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array): number;
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  recv(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  close(fd: number): number;
  if_indextoname(index: number, name: Uint8Array): unknown;
  errno(): number;
}

let systemCalls: Promise<SystemCalls> | undefined;

/** koffi is optional, and its functions need glibc. Loading takes 8 ms: call this early. */
export function loadSystemCalls(): Promise<SystemCalls> {
  systemCalls ??= bind();
  return systemCalls;
}

async function bind(): Promise<SystemCalls> {
  try {
    const { default: koffi } = await import('koffi');
    const libc = koffi.load('libc.so.6');
    return {
      socket: libc.func('int socket(int, int, int)'),
      bind: libc.func('int bind(int, const void *, uint32_t)'),
      getsockopt: libc.func('int getsockopt(int, int, int, void *, void *)'),
      setsockopt: libc.func('int setsockopt(int, int, int, const void *, uint32_t)'),
      send: libc.func('long send(int, const void *, unsigned long, int)'),
      recv: libc.func('long recv(int, void *, unsigned long, int)'),
      close: libc.func('int close(int)'),
      if_indextoname: libc.func('void *if_indextoname(uint32_t, void *)'),
      errno: () => koffi.errno(),
    };
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n', 1)[0]?.replace(/\.$/, '') : String(error);
    throw new SourceError(
      'missing',
      `sock_diag cannot be asked without the package koffi and glibc: ${why}`,
      'install koffi, or use --source ss',
      { cause: error },
    );
  }
}

export const openDiagSocket: OpenDiagSocket = async (timeoutMs) => {
  const calls = await loadSystemCalls();
  const fd = calls.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) throw diagError('open a socket of sock_diag', calls.errno());
  const size = new Uint8Array(Int32Array.of(RECEIVE_BUFFER_BYTES).buffer);
  calls.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, size, size.length); // smaller is slower, not wrong
  const wait = timeval(timeoutMs);
  if (calls.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, wait, wait.length) < 0) {
    const errno = calls.errno();
    calls.close(fd);
    throw diagError('limit the time for sock_diag', errno);
  }
  return new OpenSocket(fd, calls);
};

class OpenSocket implements DiagSocket {
  private readonly name = new Uint8Array(IF_NAMESIZE);

  constructor(
    private readonly fd: number,
    private readonly calls: SystemCalls,
  ) {}

  send(request: Uint8Array): void {
    const sent = this.calls.send(this.fd, request, request.length, 0);
    if (sent !== request.length) throw diagError('ask sock_diag', this.calls.errno());
  }

  receive(buffer: Uint8Array): number {
    for (;;) {
      const size = this.calls.recv(this.fd, buffer, buffer.length, MSG_TRUNC);
      if (size >= 0) return size;
      const errno = this.calls.errno();
      if (errno !== EINTR) throw diagError('read from sock_diag', errno);
    }
  }

  deviceName(index: number): string {
    this.name.fill(0);
    this.calls.if_indextoname(index, this.name);
    const end = this.name.indexOf(0);
    return end > 0 ? new TextDecoder().decode(this.name.subarray(0, end)) : `if${index}`;
  }

  close(): void {
    this.calls.close(this.fd);
  }
}

/** struct timeval of a 64-bit system: seconds and microseconds; all zeros would mean no limit. */
const timeval = (ms: number): Uint8Array =>
  new Uint8Array(
    BigInt64Array.of(BigInt(Math.floor(ms / 1000)), BigInt(Math.max(1, Math.round(ms % 1000)) * 1000)).buffer,
  );

const FAULTS: Readonly<Record<number, readonly [SourceFault, string]>> = {
  [EPERM]: ['permission', 'it is not allowed here'],
  [EACCES]: ['permission', 'it is not allowed here'],
  [EAGAIN]: ['timeout', 'no answer in time'],
  [EAFNOSUPPORT]: ['missing', 'this kernel has no netlink'],
  [EPROTONOSUPPORT]: ['missing', 'this kernel has no sock_diag'],
  [ENOBUFS]: ['failed', 'a part of the answer was lost'],
};
const OTHER_SOURCE = 'use --source ss or --source proc';

export function diagError(what: string, errno: number): SourceError {
  const [fault, why] = FAULTS[errno] ?? ['failed', 'the kernel refused'];
  return new SourceError(fault, `could not ${what}: ${why} (errno ${errno})`, OTHER_SOURCE);
}
