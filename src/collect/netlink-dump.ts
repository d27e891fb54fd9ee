import { SourceError } from '../model/errors.js';
import type { Gap, NetnsMark } from '../model/observation.js';
import { ROW_FLAGS, type SocketTable } from '../model/table.js';
import {
  type Dump,
  type DumpName,
  DumpParser,
  type DumpResult,
  encodeRequest,
  STATE_BITS,
  wireOf,
} from '../parse/netlink/index.js';
import { hasQueue, markHeldLengths } from './held-lengths.js';
import { type DiagSocket, diagError, type OpenDiagSocket } from './netlink-socket.js';
import type { NamespacePlace } from './netns-enter.js';
import { withoutRepeated } from './repeated-rows.js';

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

/** Sockets, and the families that this kernel cannot list for want of a module. */
export interface DumpLook extends DumpResult {
  readonly unlisted: readonly DumpName[];
  readonly netnsMark?: NetnsMark;
}

/** The kernel fills at most 32 KiB at once (net/netlink/af_netlink.c, netlink_dump); a single message is far smaller. */
const BUFFER_BYTES = 1 << 16;
/** What was lost or torn is asked for once more. */
const ATTEMPTS = 2;

const TCP = /tcp/;

/** errno(3), the same on every architecture of Linux that Node runs on. */
const ENOENT = 2;
const EINVAL = 22;
const EPROTONOSUPPORT = 93;
const EOPNOTSUPP = 95;
/** How kernels refuse MPTCP that they lack: those before 5.9 do not know the attribute which names it. */
const NO_MPTCP: readonly number[] = [ENOENT, EINVAL, EPROTONOSUPPORT, EOPNOTSUPP];

const NO_TCP_DIAG = () =>
  new SourceError(
    'missing',
    'this kernel cannot list TCP sockets: tcp_diag is not loaded',
    'modprobe tcp_diag, or use --source ss or --source proc',
  );

/** Asks for one dump after the other; the socket and the buffer last, and a dump that failed costs the socket. */
export class Dumper {
  private socket: DiagSocket | undefined;
  private readonly wire = wireOf(new Uint8Array(BUFFER_BYTES));
  private sequence = 0;
  private readonly unlisted = new Set<DumpName>();

  /** @param refused what this kernel has not: it is not asked again, for each time it may look for a module to load */
  constructor(
    private readonly open: OpenDiagSocket,
    private readonly refused = new Set<DumpName>(),
  ) {}

  /** Blocks this thread until all answers are read. Throws `SourceError` where TCP cannot be read; the rest becomes gaps. */
  async run({ dumps, timeoutMs, expectedRows }: DumpTask): Promise<DumpLook> {
    const deviceName = (index: number) => this.socket?.deviceName(index) ?? `if${index}`;
    const parser = new DumpParser({ expectedRows, deviceName });
    const deadline = performance.now() + timeoutMs;
    this.unlisted.clear();
    try {
      for (const dump of dumps)
        if (!this.refused.has(dump.name)) await this.readDump(parser, dump, deadline, timeoutMs);
    } catch (error) {
      this.close();
      throw error;
    }
    const { sockets, gaps } = parser.end();
    const names = new Set(dumps.map(({ name }) => name));
    const cookie = this.socket?.netnsCookie?.();
    this.readLengthsAgain(sockets, dumps, deadline);
    const once = dumps.length === names.size ? sockets : withoutRepeated(sockets);
    return {
      sockets: once,
      gaps: [...gaps, ...this.mptcpGaps(dumps, once)],
      unlisted: [...this.unlisted],
      ...(cookie !== undefined && { netnsMark: `c${cookie}` }),
    };
  }

  close(): void {
    this.socket?.close();
    this.socket = undefined;
  }

  private async readDump(parser: DumpParser, dump: Dump, deadline: number, timeoutMs: number): Promise<void> {
    parser.begin(dump.name, this.nextSequence());
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt === ATTEMPTS;
      try {
        this.socket ??= await this.open(timeoutMs);
        this.readOne(this.socket, parser, dump, deadline);
        if (isLast || !parser.isTorn) break;
      } catch (error) {
        // What is left of the answer would come before the next one.
        this.close();
        if (!(error instanceof SourceError)) throw error;
        if (isLast || error.fault !== 'failed') {
          if (dump.name === 'tcp4') throw error;
          return parser.gap(`some or all are missing: ${error.message}`);
        }
      }
      parser.restart(this.nextSequence());
    }
    if (parser.errno !== 0) this.refuse(parser, dump, parser.errno);
  }

  private nextSequence(): number {
    this.sequence = (this.sequence + 1) >>> 0;
    return this.sequence;
  }

  private readOne(socket: DiagSocket, parser: DumpParser, dump: Dump, deadline: number): void {
    const { wire } = this;
    socket.send(encodeRequest(dump, this.sequence));
    for (;;) {
      if (performance.now() > deadline)
        throw new SourceError(
          'timeout',
          'the kernel did not end its list of sockets in time',
          'raise --timeout, or use --source ss',
        );
      const size = socket.receive(wire.bytes);
      if (size > BUFFER_BYTES) parser.lose(`${size} bytes at once, of which ${BUFFER_BYTES} were read`);
      if (parser.read(wire, Math.min(size, BUFFER_BYTES))) return;
    }
  }

  /** 0.1 ms, for the kernel searches its listeners only. What fails here leaves the lengths as doubtful as they were. */
  private readLengthsAgain(table: SocketTable, dumps: readonly Dump[], deadline: number): void {
    const isAsked = ({ name, states }: Dump) =>
      TCP.test(name) && (states & STATE_BITS.established) !== 0 && !this.refused.has(name);
    const names = new Set(dumps.filter(isAsked).map(({ name }) => name));
    if (names.size === 0 || !hasQueue(table)) return;
    const parser = new DumpParser();
    try {
      for (const name of names) {
        if (this.socket === undefined) return;
        parser.begin(name, this.nextSequence());
        this.readOne(this.socket, parser, { name, states: STATE_BITS.listen, details: false }, deadline);
      }
    } catch (error) {
      this.close();
      if (!(error instanceof SourceError)) throw error;
      return;
    }
    markHeldLengths(table, parser.end().sockets);
  }

  /** Without TCP over IPv4 there is no look; a kernel without IPv6 or MPTCP has no such sockets. */
  private refuse(parser: DumpParser, { name }: Dump, errno: number): void {
    if (name === 'tcp4') throw errno === ENOENT ? NO_TCP_DIAG() : diagError('list the TCP sockets', errno);
    if (name.startsWith('mptcp') && NO_MPTCP.includes(errno)) {
      this.refused.add(name);
      return;
    }
    if (errno === ENOENT) this.unlisted.add(name);
    if (errno === ENOENT && name.endsWith('6')) return;
    parser.gap(
      errno === ENOENT
        ? `this kernel cannot list them: load ${name === 'unix' ? 'unix_diag' : 'udp_diag'} (modprobe)`
        : `the kernel refused to list them (errno ${errno})`,
    );
  }

  /** MPTCP is there, for one of its subflows was listed; but what waits for accept() is only in the list that was refused. */
  private mptcpGaps(dumps: readonly Dump[], { length, flags }: SocketTable): Gap[] {
    if (!dumps.some(({ name }) => name.startsWith('mptcp') && this.refused.has(name))) return [];
    if (!flags.subarray(0, length).some((bits) => (bits & ROW_FLAGS.mptcpSubflow) !== 0)) return [];
    const why = 'this kernel cannot list MPTCP sockets: load mptcp_diag (modprobe)';
    return [{ what: 'MPTCP connections that wait', why }];
  }
}
