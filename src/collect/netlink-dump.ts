import { SourceError } from '../model/errors.js';
import { type Dump, DumpParser, type DumpResult, encodeRequest, wireOf } from '../parse/netlink/index.js';
import { type DiagSocket, diagError, type OpenDiagSocket } from './netlink-socket.js';
import type { NamespacePlace } from './netns-enter.js';

/** What one look asks of the kernel. */
export interface DumpTask {
  readonly dumps: readonly Dump[];
  /** For all of them together. */
  readonly timeoutMs: number;
  /** About how many sockets will come. */
  readonly expectedRows: number;
  /** Another namespace than that of the process. Only a thread of its own looks there. */
  readonly place?: NamespacePlace;
  /** Files of procfs to read there, before the sockets: `net/netstat`, `sys/net/core/somaxconn`. */
  readonly files?: readonly string[];
}

/** The kernel fills at most 32 KiB at once (net/netlink/af_netlink.c, netlink_dump); a single message is far smaller. */
const BUFFER_BYTES = 1 << 16;
const ENOENT = 2;

/** Asks for one dump after the other; the socket and the buffer last, and a dump that failed costs the socket. */
export class Dumper {
  private socket: DiagSocket | undefined;
  private readonly wire = wireOf(new Uint8Array(BUFFER_BYTES));
  private sequence = 0;

  constructor(private readonly open: OpenDiagSocket) {}

  /** Blocks this thread until all answers are read. Throws `SourceError` where TCP cannot be read; the rest becomes gaps. */
  async run({ dumps, timeoutMs, expectedRows }: DumpTask): Promise<DumpResult> {
    this.socket ??= await this.open(timeoutMs);
    const { socket } = this;
    const parser = new DumpParser({ expectedRows, deviceName: (index) => socket.deviceName(index) });
    const deadline = performance.now() + timeoutMs;
    try {
      for (const dump of dumps) this.readOne(socket, parser, dump, deadline);
    } catch (error) {
      // What is left of the answer would come before the next one.
      this.close();
      throw error;
    }
    return parser.end();
  }

  close(): void {
    this.socket?.close();
    this.socket = undefined;
  }

  private readOne(socket: DiagSocket, parser: DumpParser, dump: Dump, deadline: number): void {
    const { wire } = this;
    this.sequence = (this.sequence + 1) >>> 0;
    parser.begin(dump.name, this.sequence);
    socket.send(encodeRequest(dump, this.sequence));
    for (;;) {
      const size = socket.receive(wire.bytes);
      if (size > BUFFER_BYTES) parser.lose(`${size} bytes at once, of which ${BUFFER_BYTES} were read`);
      if (parser.read(wire, Math.min(size, BUFFER_BYTES))) break;
      if (performance.now() > deadline)
        throw new SourceError(
          'timeout',
          'the kernel did not end its list of sockets in time',
          'raise --timeout, or use --source ss',
        );
    }
    if (parser.errno !== 0) refuse(parser, dump, parser.errno);
  }
}

/** Without TCP over IPv4 there is no look; a kernel without IPv6 or MPTCP has no such sockets. */
function refuse(parser: DumpParser, { name }: Dump, errno: number): void {
  if (name === 'tcp4') throw diagError('list the TCP sockets', errno);
  if (errno === ENOENT && (name.startsWith('mptcp') || name.endsWith('6'))) return;
  const isModule = errno === ENOENT;
  parser.gap(
    isModule
      ? `this kernel cannot list them: load ${name === 'unix' ? 'unix_diag' : 'udp_diag'} (modprobe)`
      : `the kernel refused to list them (errno ${errno})`,
  );
}
