import { SourceError } from '../model/errors.js';
import type { ListenerSamples, SampledFamily } from '../model/samples.js';
import { encodeRequest, LITTLE_ENDIAN, wireOf } from '../parse/netlink/index.js';
import { LISTEN_DUMPS, ListenReader } from '../parse/netlink/listen-reader.js';
import { BeatBudget } from './beat-clock.js';
import type { BeatTask, Taken } from './beat-loop.js';
import type { Share } from './beat-share.js';
import {
  type DiagSocket,
  diagError,
  type OpenDiagSocket,
  openDiagSocket,
  openDiagSocketIn,
} from './netlink-socket.js';
import type { NamespacePlace } from './netns-enter.js';
import type { Pace } from './sample-pace.js';
import { type ThreadClock, threadClock } from './thread-clock.js';

/** Samples the listeners of one kind in one network namespace. */
export interface ListenTaskSpec {
  readonly kind: 'listeners';
  readonly key: string;
  readonly family: SampledFamily;
  /** Inode of the namespace, for keys as those of tables. */
  readonly netns: string | undefined;
  /** Where that is entered; absent: it is that of the thread. */
  readonly place?: NamespacePlace;
  readonly life?: string;
  /** Of one core, as 0.02: of this task at most, and of all tasks of this kind. */
  readonly share: number;
  readonly together: number;
}

/** What a task has seen since it was last asked. Times are monotonic, ms. */
export interface ListenBatch {
  readonly looks: number;
  /** First and last look; without any, of the last one before. */
  readonly from: number;
  readonly to: number;
  /** Longest time between two looks, that from the last look before included. */
  readonly longestGapMs: number;
  /** Processor time that the looks have cost. */
  readonly costMs: number;
  readonly pace: Pace;
  readonly listeners: readonly ListenerSamples[];
  /** Why some looks, or parts of them, are missing. */
  readonly faults: readonly string[];
}

const BUFFER_BYTES = 1 << 16;
/** One for all tasks of a thread: an answer is read to its end before the next is asked for. */
const wire = wireOf(new Uint8Array(BUFFER_BYTES));
/** A list of listeners takes parts of a millisecond; a kernel that needs longer than this is not asked again for a while. */
const TIMEOUT_MS = 500;
const RETRY_MS = 1000;
/** Of the many namespaces in which nobody listens each is only asked whether somebody does now. */
const IDLE_GAP_MS = 100;
/** No IPv6 in this kernel. */
const ENOENT = 2;

/** Asks the kernel for its listeners at every beat that its share of a core allows. */
export class ListenTask implements BeatTask {
  private readonly reader: ListenReader;
  private readonly budget: BeatBudget;
  private readonly requests: readonly {
    readonly name: 'tcp4' | 'tcp6' | 'unix';
    readonly bytes: Uint8Array;
  }[];
  private sequence = 0;
  private from = 0;
  private to = 0;
  private longestGapMs = 0;
  private costMs = 0;
  private retryAt = 0;
  private isClosed = false;
  /** Than that of the thread. */
  private readonly isOther: boolean;
  private readonly faults = new Set<string>();

  private constructor(
    spec: ListenTaskSpec,
    periodMs: number,
    share: Share | number,
    private socket: DiagSocket | undefined,
    private openSocket: OpenDiagSocket,
    private readonly clock: ThreadClock,
  ) {
    this.reader = new ListenReader(spec.netns, (index) => this.socket?.deviceName(index) ?? `if${index}`);
    this.budget = new BeatBudget(share, periodMs);
    this.isOther = spec.place !== undefined;
    this.requests = LISTEN_DUMPS[spec.family].map((dump) => ({
      name: dump.name as 'tcp4' | 'tcp6' | 'unix',
      bytes: encodeRequest(dump, 0),
    }));
  }

  /** Throws `SourceError` where the kernel has no sock_diag for us. */
  static async open(
    spec: ListenTaskSpec,
    periodMs: number,
    share: Share | number = spec.share,
    open: OpenDiagSocket = openerOf(spec),
    clock?: ThreadClock,
  ): Promise<ListenTask> {
    const time = clock ?? (await threadClock());
    return new ListenTask(spec, periodMs, share, await open(TIMEOUT_MS), open, time);
  }

  /** The process through which its namespace was found may have ended: the next socket is opened at another place. */
  change(spec: ListenTaskSpec): void {
    this.openSocket = openerOf(spec);
  }

  beat(now: number): void {
    if (!this.budget.isDue(now) || (this.isIdle && now < this.to + IDLE_GAP_MS)) return;
    const { socket } = this;
    if (socket === undefined) {
      if (now >= this.retryAt) this.reopen(now);
      return;
    }
    const started = this.clock();
    this.reader.book.open(now);
    try {
      for (const { name, bytes } of this.requests) this.ask(socket, name, bytes);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      this.fail(error.message, now);
    }
    this.worked(now, this.clock() - started);
  }

  private get isIdle(): boolean {
    return this.isOther && this.reader.book.size === 0;
  }

  private ask(socket: DiagSocket, name: 'tcp4' | 'tcp6' | 'unix', request: Uint8Array): void {
    const { reader } = this;
    this.sequence = (this.sequence + 1) >>> 0;
    new DataView(request.buffer, request.byteOffset).setUint32(8, this.sequence, LITTLE_ENDIAN);
    reader.begin(name, this.sequence);
    socket.send(request);
    for (;;) {
      const size = socket.receive(wire.bytes);
      if (size > BUFFER_BYTES) reader.broken++;
      if (reader.read(wire, Math.min(size, BUFFER_BYTES))) break;
    }
    const { errno } = reader;
    if (errno !== 0 && !(errno === ENOENT && name === 'tcp6')) throw diagError('list the listeners', errno);
  }

  private worked(now: number, costMs: number): void {
    this.budget.worked(now, costMs, this.isIdle ? IDLE_GAP_MS : undefined);
    this.costMs += costMs;
    if (this.from === 0) this.from = now;
    if (this.to > 0) this.longestGapMs = Math.max(this.longestGapMs, now - this.to);
    this.to = now;
  }

  take(): Taken {
    const { reader } = this;
    const { looks, leftOut } = reader.book;
    if (reader.broken > 0) this.faults.add('parts of the answers of the kernel could not be read');
    if (reader.interrupted > 0) this.faults.add('listeners changed while the kernel listed them');
    if (leftOut > 0) this.faults.add('there are more listeners than can be sampled');
    const batch: ListenBatch = {
      looks,
      from: looks > 0 ? this.from : this.to,
      to: this.to,
      longestGapMs: this.longestGapMs,
      costMs: this.costMs,
      pace: { listeners: reader.book.size, ...this.budget.pace },
      listeners: reader.book.take(),
      faults: [...this.faults],
    };
    this.faults.clear();
    this.from = this.longestGapMs = this.costMs = reader.broken = reader.interrupted = 0;
    return { batch };
  }

  close(): void {
    this.isClosed = true;
    this.budget.leave();
    this.socket?.close();
    this.socket = undefined;
  }

  /** What is left of the answer would come before the next one: it costs the socket. */
  private fail(why: string, now: number): void {
    this.faults.add(why);
    this.socket?.close();
    this.socket = undefined;
    this.retryAt = now + RETRY_MS;
  }

  private reopen(now: number): void {
    this.retryAt = now + RETRY_MS;
    this.openSocket(TIMEOUT_MS).then(
      (socket) => {
        if (this.isClosed || this.socket !== undefined) socket.close();
        else this.socket = socket;
      },
      (error: Error) => this.faults.add(error.message),
    );
  }
}

const openerOf = ({ place }: ListenTaskSpec): OpenDiagSocket =>
  place === undefined ? openDiagSocket : openDiagSocketIn(place);
