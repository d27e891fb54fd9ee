import { createRequire } from 'node:module';
import { SourceError, type SourceFault } from '../model/errors.js';
import { type NamespacePlace, withinNamespace } from './netns-enter.js';

/** One socket of NETLINK_SOCK_DIAG, in the network namespace in which its thread was when it was opened. */
export interface DiagSocket {
  /** Its descriptor, of which Node knows nothing: it outlives a thread that is ended. */
  readonly fd?: number;
  /** Throws `SourceError`. */
  send(request: Uint8Array): void;
  /** Waits for the next part of an answer; gives its size, which is more than the buffer's where it was cut off. Throws `SourceError`. */
  receive(buffer: Uint8Array): number;
  /** The name of a device of the namespace of the socket, `if7` where it has none. */
  deviceName(index: number): string;
  /** The kernel's number of the namespace of the socket, which no other one ever gets; absent before Linux 5.14. */
  netnsCookie?(): bigint | undefined;
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
/** On the architectures for which Node is built. */
const SO_NETNS_COOKIE = 71;
const SO_RCVTIMEO = process.arch.startsWith('ppc') ? 18 : 20;
/** The answer comes as it is read: room for some parts is enough, and needs no privilege. */
const RECEIVE_BUFFER_BYTES = 1 << 20;
/** recv() then gives the whole size of what it had to cut off. */
const MSG_TRUNC = 0x20;
const IF_NAMESIZE = 16;
/** Any socket answers it, for its own namespace (net/socket.c, sock_do_ioctl). */
const SIOCGIFNAME = 0x8910;
/** struct ifreq of a 64-bit system: the name, then what was asked about, here the index. */
const IFREQ_BYTES = 40;
const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

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
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  setns(fd: number, kind: number): number;
  clock_gettime(clock: number, time: Uint8Array): number;
  errno(): number;
}

let systemCalls: Promise<SystemCalls> | undefined;

/** koffi is optional. Loading takes 8 ms: call this early. Throws `SourceError`: `missing` for good, `failed` where the next time may do better. */
export function loadSystemCalls(): Promise<SystemCalls> {
  systemCalls ??= bind().catch((error: unknown) => {
    if (!(error instanceof SourceError) || error.fault !== 'missing') systemCalls = undefined;
    throw error;
  });
  return systemCalls;
}

async function bind(): Promise<SystemCalls> {
  try {
    // A failed import() would be remembered; require() is tried anew.
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi').default;
    // The process itself has the C library, whichever it is (glibc or musl).
    const libc = koffi.load(null);
    return {
      socket: libc.func('int socket(int, int, int)'),
      bind: libc.func('int bind(int, const void *, uint32_t)'),
      getsockopt: libc.func('int getsockopt(int, int, int, void *, void *)'),
      setsockopt: libc.func('int setsockopt(int, int, int, const void *, uint32_t)'),
      send: libc.func('long send(int, const void *, unsigned long, int)'),
      recv: libc.func('long recv(int, void *, unsigned long, int)'),
      close: libc.func('int close(int)'),
      ioctl: libc.func('int ioctl(int, unsigned long, void *)'),
      setns: libc.func('int setns(int, int)'),
      clock_gettime: libc.func('int clock_gettime(int, void *)'),
      errno: () => koffi.errno(),
    };
  } catch (error) {
    throw koffiError(error);
  }
}

/** Errors of the host that may pass: out of descriptors or of memory. */
const PASSING: readonly unknown[] = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EIO'];
const INSTALL = 'install koffi, or use --source ss';

/** What a failed import of koffi means. Without the package, whose paths Node names is of no help to anybody. */
export function koffiError(error: unknown): SourceError {
  const { code, message } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) };
  if (code === 'MODULE_NOT_FOUND')
    return new SourceError('missing', 'the package koffi is not installed', INSTALL, { cause: error });
  const why = message.split('\n', 1)[0]?.replace(/\.$/, '');
  const fault = PASSING.includes(code) || /too many open files/i.test(message) ? 'failed' : 'missing';
  return new SourceError(fault, `sock_diag cannot be asked: koffi could not be loaded: ${why}`, INSTALL, {
    cause: error,
  });
}

export const openDiagSocket: OpenDiagSocket = async (timeoutMs) => open(await loadSystemCalls(), timeoutMs);

/**
 * Opens it in another network namespace; it stays there, and the thread comes back at once. As long as it is open the kernel keeps that
 * namespace, with its devices: opening takes 10 µs, so close it after each look, or when nobody else is there any more. Throws `NamespaceError` where that may not be entered.
 */
export const openDiagSocketIn =
  (place: NamespacePlace): OpenDiagSocket =>
  async (timeoutMs) => {
    const calls = await loadSystemCalls();
    return withinNamespace(calls, place, () => open(calls, timeoutMs));
  };

function open(calls: SystemCalls, timeoutMs: number): DiagSocket {
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
}

class OpenSocket implements DiagSocket {
  constructor(
    readonly fd: number,
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
    return deviceNameOf(this.calls, this.fd, index);
  }

  netnsCookie(): bigint | undefined {
    const cookie = new BigUint64Array(1);
    const length = new Uint8Array(Uint32Array.of(cookie.byteLength).buffer);
    const bytes = new Uint8Array(cookie.buffer);
    const answer = this.calls.getsockopt(this.fd, SOL_SOCKET, SO_NETNS_COOKIE, bytes, length);
    return answer < 0 || cookie[0] === 0n ? undefined : cookie[0];
  }

  close(): void {
    this.calls.close(this.fd);
  }
}

/** The name of a device of the namespace of a socket, whichever its thread is in now; `if7` where it has none. */
export function deviceNameOf(calls: SystemCalls, fd: number, index: number): string {
  const request = new Uint8Array(IFREQ_BYTES);
  new DataView(request.buffer).setInt32(IF_NAMESIZE, index, IS_LITTLE_ENDIAN);
  if (calls.ioctl(fd, SIOCGIFNAME, request) < 0) return `if${index}`;
  const end = request.indexOf(0);
  return end > 0 ? new TextDecoder().decode(request.subarray(0, Math.min(end, IF_NAMESIZE))) : `if${index}`;
}

/** struct timeval of a 64-bit system: seconds and microseconds, of whole milliseconds; all zeros would mean no limit. */
export const timeval = (ms: number): Uint8Array => {
  const whole = Math.max(1, Math.round(ms));
  return new Uint8Array(
    BigInt64Array.of(BigInt(Math.floor(whole / 1000)), BigInt((whole % 1000) * 1000)).buffer,
  );
};

const FAULTS: Readonly<Record<number, readonly [SourceFault, string]>> = {
  [EPERM]: ['permission', 'it is not allowed here'],
  [EACCES]: ['permission', 'it is not allowed here'],
  [EAGAIN]: ['timeout', 'no answer in time'],
  [EAFNOSUPPORT]: [
    'missing',
    'netlink is forbidden here (often RestrictAddressFamilies= of a systemd unit), or this kernel has none',
  ],
  [EPROTONOSUPPORT]: ['missing', 'this kernel has no sock_diag'],
  [ENOBUFS]: ['failed', 'a part of the answer was lost'],
};
const OTHER_SOURCE = 'use --source ss or --source proc';

export function diagError(what: string, errno: number): SourceError {
  const [fault, why] = FAULTS[errno] ?? ['failed', 'the kernel refused'];
  return new SourceError(fault, `could not ${what}: ${why} (errno ${errno})`, OTHER_SOURCE);
}
