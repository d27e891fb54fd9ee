import { SourceError } from '../model/errors.js';
import type { NetnsMark } from '../model/observation.js';
import { type Dump, type DumpName, STATE_BITS } from '../parse/netlink/index.js';
import type { Inside } from './inside.js';
import type { LookKind } from './look-plan.js';
import { Dumper, type DumpTask } from './netlink-dump.js';
import { DumpHelper } from './netlink-helper.js';
import { openDiagSocket } from './netlink-socket.js';
import type { CollectOptions, Door } from './options.js';
import { countSockets } from './proc.js';
import type { SsLook } from './ss.js';
import { MOST_PORTS } from './troubled-ports.js';
import { addUnlisted } from './unlisted.js';

type Wanted = Pick<CollectOptions, 'udp' | 'unix' | 'scope' | 'details'>;

const LISTENERS = STATE_BITS.listen | STATE_BITS.synRecv;
const COMPLETE = STATE_BITS.established | STATE_BITS.closeWait;
const TCP = ['tcp4', 'tcp6', 'mptcp4', 'mptcp6'] as const;
const UDP = ['udp4', 'udp6'] as const;

/** The kernel searches that many for SYN-RECV in 50 ms; with fewer a key press is answered sooner without a thread (measured: 26 ms beside 42 to 108 at most). */
const MANY_SOCKETS = 250_000;
/** A list of so few is read in 10 ms: starting a thread takes three times as long. */
const FEW_SOCKETS = 5000;

/** What a dump gives, and which namespace it was of. */
export interface NetlinkLook extends SsLook {
  readonly netnsMark?: NetnsMark;
}

/** A host gains some sockets from look to look. */
const SPARE_ROOM = 1.05;

/**
 * What to ask the kernel for. Its filters by state and port work before a row is made: rows that do not match cost little.
 * @param ports whose connections are wanted, of a look of kind `ports`
 */
export function dumpsFor(kind: LookKind, wanted: Wanted, ports: readonly number[]): Dump[] {
  const { udp, unix, scope, details = true } = wanted;
  if (kind === 'complete' && scope === 'all') {
    const names: DumpName[] = [...TCP, ...(udp ? UDP : []), ...(unix ? (['unix'] as const) : [])];
    return names.map((name) => ({ name, states: STATE_BITS.all, details }));
  }
  const withConnections = kind === 'complete';
  // Of that many ports, a list of all connections is cheaper than a filter.
  const withAllPorts = withConnections || isOfManyPorts(kind, ports);
  const states = withAllPorts ? LISTENERS | COMPLETE : LISTENERS;
  const isPart = kind === 'ports' && !withAllPorts && ports.length > 0;
  const connected = withConnections ? STATE_BITS.established : 0;
  return [
    ...TCP.map((name) => ({ name, states })),
    ...(isPart ? TCP.map((name) => ({ name, states: COMPLETE, ports })) : []),
    // What listens on UDP has no peer.
    ...(udp ? UDP.map((name) => ({ name, states: STATE_BITS.close | connected })) : []),
    ...(unix ? [{ name: 'unix' as const, states: STATE_BITS.listen | connected }] : []),
  ];
}

const isOfManyPorts = (kind: LookKind, ports: readonly number[]): boolean =>
  kind === 'ports' && ports.length > MOST_PORTS;
/** sock_diag in another network namespace: one thread looks into all of them, one after the other. */
export class NetlinkInside {
  private lastRows = 0;

  constructor(
    private readonly options: CollectOptions,
    private readonly inside: Inside,
  ) {}

  /** Throws `NamespaceError`, `SourceError`, or the reason of the signal. */
  async look(
    kind: LookKind,
    ports: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<NetlinkLook> {
    const isWhole = kind === 'complete';
    const { helper, place, files } = this.inside;
    const task: DumpTask = {
      dumps: dumpsFor(kind, this.options, ports),
      timeoutMs: this.options.timeoutMs,
      expectedRows: isWhole ? Math.ceil(this.lastRows * SPARE_ROOM) : 0,
      place,
      files,
    };
    const look = await helper.run(task, signal);
    if (look === undefined)
      throw new SourceError('missing', 'the thread that looks into namespaces has failed', 'use --source ss');
    if (isWhole) this.lastRows = look.sockets.length;
    return look;
  }
}

/** sock_diag of the kernel, asked without a program between: what is short at once, what takes long in a thread. */
export class NetlinkSource {
  private readonly dumper: Dumper;
  /** Only for the kernel's own sockets: a thread cannot be given what a test opens. */
  private readonly helper: DumpHelper | undefined;
  /** Sockets of the last look at all. */
  private lastRows = 0;

  constructor(
    private readonly options: CollectOptions,
    private readonly door: Pick<Door, 'openDiagSocket' | 'proc'>,
  ) {
    this.dumper = new Dumper(door.openDiagSocket);
    this.helper = door.openDiagSocket === openDiagSocket ? new DumpHelper() : undefined;
  }

  /**
   * @param mayBlock what takes long may be read on this thread too: nobody needs it meanwhile
   * Throws `SourceError`, or the reason of the signal.
   */
  async look(
    kind: LookKind,
    ports: readonly number[],
    { mayBlock, signal }: { readonly mayBlock: boolean; readonly signal?: AbortSignal | undefined },
  ): Promise<NetlinkLook> {
    const isWhole = kind === 'complete';
    const task: DumpTask = {
      dumps: dumpsFor(kind, this.options, ports),
      timeoutMs: this.options.timeoutMs,
      expectedRows: isWhole ? this.expectRows() : 0,
    };
    signal?.throwIfAborted();
    const sockets = countSockets(this.door.proc) ?? (isWhole ? Number.POSITIVE_INFINITY : 0);
    const isLarge = isWhole || isOfManyPorts(kind, ports);
    const takesLong = sockets > (isLarge ? FEW_SOCKETS : MANY_SOCKETS);
    const inThread = takesLong && !mayBlock ? await this.helper?.run(task, signal) : undefined;
    const dumped = inThread ?? (await this.dumper.run(task));
    const look = await addUnlisted(dumped, task.dumps, dumped.unlisted, this.door.proc);
    if (isWhole) this.lastRows = look.sockets.length;
    return { ...look, ...(dumped.netnsMark !== undefined && { netnsMark: dumped.netnsMark }) };
  }

  /** Room for all at once: a table that grows in steps leaves as much behind as it holds. */
  private expectRows(): number {
    return Math.ceil((this.lastRows || (countSockets(this.door.proc) ?? 0)) * SPARE_ROOM);
  }
}
