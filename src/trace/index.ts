import { formatIp } from '../model/ip.js';
import type { PacketBatch } from '../model/packets.js';
import type { Outcome, TraceConnection } from '../model/trace.js';
import type { Nanos } from '../model/trace-moment.js';
import type { TraceSummary } from '../model/trace-summary.js';
import { makeAppLayer } from './app/index.js';
import type { AppLayer } from './app-layer.js';
import { Attempts } from './attempts.js';
import { Collisions } from './collisions.js';
import { AddressBook } from './decode/address-book.js';
import { Decoder } from './decode/index.js';
import { PathBook } from './decode/path-book.js';
import { Departures } from './departures.js';
import { EVENT, Events } from './events.js';
import { isSuspect } from './findings/suspicion.js';
import { FLOW, Flows, INT, SIDE_INT, STRIDE, SUM } from './flows.js';
import { MARK, type MARKS } from './marks.js';
import { outcomeOf } from './outcome.js';
import { DECODED, Packet } from './packet.js';
import { Pairs } from './pairs.js';
import { Servers } from './servers.js';
import { Tcp } from './tcp/index.js';
import { Teller } from './teller.js';
import { moment, Totals } from './totals.js';
import { Trust } from './trust.js';
import { UdpLayer } from './udp/index.js';
import { Worst } from './worst.js';

const M = MARK as Readonly<Record<(typeof MARKS)[number], number>>;

export interface TraceOptions {
  /** `totals`: objects only for connections in trouble; `connections`: one for each. */
  readonly detail: 'totals' | 'connections';
  /** The connection whose every packet is kept. */
  readonly follow?: number;
  /** Query strings of HTTP are kept. */
  readonly keepQueries?: boolean;
  /** How many of the worst connections are kept; 20 unless told. */
  readonly top?: number;
  /** Others are not counted. */
  readonly wants?: (connection: TraceConnection) => boolean;
  /** Packets before and after are not looked at. */
  readonly from?: Nanos;
  readonly to?: Nanos;
}

export interface TraceSink {
  /** Each connection that is wanted, in the order of their ends. Only where detail is `connections`. */
  connection(connection: TraceConnection): void;
}

export interface TraceResult {
  readonly summary: TraceSummary;
  /** Most troubled first. */
  readonly worst: readonly TraceConnection[];
  readonly followed?: TraceConnection;
}

const TOP = 20;
const TLS_ALERT = EVENT.tls_alert;
const AFTER_CLOSE_NS = 2e9;
/** After a close that both sides have acknowledged. The sooner memory is used again, the sooner it is in the processor's cache. */
const AFTER_SETTLED_NS = 20e6;
/** Linux gives up a connect() after 127 s, a SYN-RECV after 63 s. */
const UNANSWERED_NS = 180e9;
const SWEEP_NS = 10e6;
const UDP_SWEEP_NS = 10e9;
const REST_PIECE = 1000;

/** The analysis of one capture: packets in, connections and their summary out. Pure: the clock is that of the packets. */
export class Trace {
  private readonly addresses = new AddressBook();
  private readonly paths = new PathBook();
  private readonly decoder = new Decoder(this.addresses, this.paths);
  private readonly packet = new Packet();
  private readonly flows = new Flows();
  private readonly events = new Events(this.flows);
  private readonly servers = new Servers();
  private readonly pairs = new Pairs();
  /** Pairs of the connections that count: all of them, unless some are not wanted. */
  private readonly counted: Pairs;
  private readonly attempts = new Attempts(this.flows);
  private readonly trust = new Trust();
  private readonly totals = new Totals();
  private readonly teller: Teller;
  private readonly app: AppLayer;
  private readonly tcp: Tcp;
  private readonly collisions: Collisions;
  private readonly udp: UdpLayer;
  private readonly closed: Departures;
  private readonly settled: Departures;
  private readonly unanswered: Departures;
  private readonly worst: Worst;
  private readonly comments = new Map<number, string>();
  private followed: TraceConnection | undefined;
  private packets = 0;
  private tcpPackets = 0;
  private udpPackets = 0;
  private now = 0;
  private nextSweep = Number.NEGATIVE_INFINITY;
  private nextUdpSweep = Number.NEGATIVE_INFINITY;
  private first: { frame: number; time: number } | undefined;
  private lastFrame = 0;
  private cutPackets = 0;

  constructor(
    private readonly options: TraceOptions,
    private readonly sink?: TraceSink,
  ) {
    this.worst = new Worst(options.top ?? TOP);
    this.counted = options.wants === undefined ? this.pairs : new Pairs();
    this.app = makeAppLayer(this.flows, {
      keepQueries: options.keepQueries === true,
      isFollowed: (slot) => slot === this.events.followed,
      note: (slot, kind, direction, at, text, detail) => {
        if (slot === this.events.followed || kind === TLS_ALERT)
          this.events.note(slot, kind, direction, at, text, detail);
      },
    });
    this.tcp = new Tcp({
      flows: this.flows,
      events: this.events,
      servers: this.servers,
      app: this.app,
      opened: (slot) => this.opened(slot),
      resumed: (slot) => {
        const pair = this.flows.int(slot, INT.pair);
        this.attempts.resumed(slot, pair);
        this.pairs.reopened(pair);
      },
      closing: (slot) => this.closing(slot),
      settled: (slot) => {
        if (slot !== this.events.followed) this.settled.add(slot);
      },
      finished: (slot) => this.finished(slot),
    });
    this.collisions = new Collisions(this.flows, this.tcp.table, (frame) =>
      this.trust.note('collisions', frame),
    );
    this.udp = new UdpLayer({
      addresses: this.addresses,
      paths: this.paths,
      nextId: () => this.tcp.takeId(),
      isFollowed: (id) => id === options.follow,
      report: (connection) => this.udpFinished(connection),
    });
    this.teller = new Teller({
      flows: this.flows,
      events: this.events,
      addresses: this.addresses,
      paths: this.paths,
      app: this.app,
      udp: this.udp,
      pairs: this.pairs,
      attempts: this.attempts,
    });
    this.closed = new Departures(
      this.flows,
      AFTER_CLOSE_NS,
      (slot) => this.tcp.finish(slot),
      () => false,
    );
    this.settled = new Departures(
      this.flows,
      AFTER_SETTLED_NS,
      (slot) => this.tcp.finish(slot),
      () => false,
    );
    this.unanswered = new Departures(
      this.flows,
      UNANSWERED_NS,
      (slot) => this.tcp.finish(slot),
      (slot) => this.flows.has(slot, FLOW.established) || this.flows.has(slot, FLOW.leaving),
    );
  }

  write(batch: PacketBatch): void {
    const { decoder, packet, tcp, udp } = this;
    const from = this.options.from ?? Number.NEGATIVE_INFINITY;
    const to = this.options.to ?? Number.POSITIVE_INFINITY;
    const { count, nanos, comments } = batch;
    for (let index = 0; index < count; index++) {
      const time = nanos[index] ?? 0;
      if (time < from || time > to) continue;
      if (this.first === undefined) this.first = { frame: batch.firstFrame + index, time };
      this.packets++;
      if (time > this.now) {
        this.now = time;
        this.lastFrame = batch.firstFrame + index;
        if (time >= this.nextSweep) this.sweep(time);
      }
      const kind = decoder.decode(batch, index, packet);
      if (kind === DECODED.tcp) {
        this.tcpPackets++;
        if (packet.cut) this.cutPackets++;
        tcp.packet(packet);
      } else if (kind === DECODED.udp) {
        this.udpPackets++;
        if (packet.cut) this.cutPackets++;
        udp.packet(packet);
      } else if (kind === DECODED.icmpError) {
        if (packet.protocol === 6) tcp.icmpError(packet);
        else udp.icmpError(packet);
      }
      if (comments !== undefined) this.comment(comments.get(index), kind);
    }
  }

  private sweep(time: number): void {
    this.nextSweep = time + SWEEP_NS;
    this.settled.sweep(time);
    this.closed.sweep(time);
    this.unanswered.sweep(time);
    if (time >= this.nextUdpSweep) {
      this.nextUdpSweep = time + UDP_SWEEP_NS;
      this.udp.expire(time);
    }
  }

  /** The clock, where packets come as they are captured and none may come for a while. */
  tick(time: number): void {
    if (time >= this.nextSweep) this.sweep(time);
  }

  /** Programs such as ptcpdump name the process of a packet in a comment. */
  private comment(text: string | undefined, kind: number): void {
    if (text === undefined || kind !== DECODED.tcp) return;
    const quoted = this.tcp.quoted(this.packet);
    if (quoted !== undefined && !this.comments.has(quoted.slot)) this.comments.set(quoted.slot, text);
  }

  private takeComment(slot: number): string | undefined {
    if (this.comments.size === 0) return undefined;
    const comment = this.comments.get(slot);
    this.comments.delete(slot);
    return comment;
  }

  private opened(slot: number): void {
    const { flows, pairs } = this;
    const pair = pairs.pairOf(flows, slot);
    flows.ints[slot * STRIDE + INT.pair] = pair;
    if (pair >= 0 && flows.has(slot, FLOW.roleSyn))
      for (let ended = this.attempts.opened(slot, pair); ended > 0; ended--) pairs.closed(pair);
    pairs.opened(pair, flows, slot);
    if (!flows.has(slot, FLOW.established)) this.unanswered.add(slot);
    this.collisions.opened(slot);
    if (flows.int(slot, INT.id) === this.options.follow) this.events.followed = slot;
  }

  /** Both sides have closed, or one has reset: it leaves once it is quiet. */
  private closing(slot: number): void {
    this.flows.set(slot, FLOW.leaving);
    if (!this.flows.has(slot, FLOW.superseded)) this.pairs.closed(this.flows.int(slot, INT.pair));
    this.closed.add(slot);
  }

  private finished(slot: number): void {
    const { flows } = this;
    const outcome = outcomeOf(flows, slot, this.now, this.teller.synSteps(slot));
    if (flows.int(slot, INT.syns) > 1) this.tcp.seeOthers(slot, this.now);
    const pair = flows.int(slot, INT.pair);
    const isFollowed = slot === this.events.followed;
    if (!flows.has(slot, FLOW.leaving | FLOW.superseded)) this.pairs.closed(pair);
    this.pairs.finished(pair, flows, slot, outcome);
    const isTold =
      this.sink !== undefined ||
      this.options.wants !== undefined ||
      isFollowed ||
      this.worst.hasRoom ||
      this.pairs.isWatched(pair) ||
      isSuspect(flows, slot, outcome);
    if (!isTold) {
      this.takeComment(slot);
      this.count(slot, outcome);
      return;
    }
    const connection = this.teller.tell(slot, outcome, this.takeComment(slot));
    if (isFollowed) {
      this.followed = connection;
      this.events.followed = -1;
    }
    if (this.options.wants !== undefined && !this.options.wants(connection)) return;
    this.count(slot, outcome);
    this.totals.addFindings(connection);
    this.worst.add(connection);
    this.sink?.connection(connection);
  }

  /** A connection that is wanted. */
  private count(slot: number, outcome: Outcome): void {
    this.noteTrust(slot, outcome);
    this.totals.add(this.flows, slot, outcome);
    if (this.counted !== this.pairs) this.counted.counted(this.flows, slot, outcome);
  }

  private udpFinished(connection: TraceConnection): void {
    if (connection.id === this.options.follow) this.followed = connection;
    if (this.options.wants !== undefined && !this.options.wants(connection)) return;
    this.totals.addConnection(connection);
    this.totals.addFindings(connection);
    this.worst.add(connection);
    this.sink?.connection(connection);
  }

  private noteTrust(slot: number, outcome: Outcome): void {
    const { flows, trust } = this;
    const frame = flows.frameOf(slot, M.first);
    if (outcome === 'midstream') trust.note('midstream', frame);
    const client = flows.side(slot, 0, SIDE_INT.segments);
    const server = flows.side(slot, 1, SIDE_INT.segments);
    const isOneSided =
      (client === 0 && server > 1) || (server === 0 && client > 1 && flows.has(slot, FLOW.established));
    if (isOneSided) trust.note('one_sided', frame);
    if (flows.sum(slot, 0, SUM.missing) > 0 || flows.sum(slot, 1, SUM.missing) > 0)
      trust.note('missing', frame);
  }

  /**
   * The capture is over: the TCP connections that are still open are told as they stand. There may be a million of them (a flood of
   * SYNs), so it stops after each thousand, for what was told to be written.
   */
  *rest(): Generator<void> {
    const { flows, tcp } = this;
    const open: number[] = [];
    tcp.table.forEach((slot) => {
      open.push(slot);
    });
    open.sort((a, b) => flows.int(a, INT.id) - flows.int(b, INT.id));
    for (const [index, slot] of open.entries()) {
      tcp.finish(slot);
      if (index % REST_PIECE === REST_PIECE - 1) yield;
    }
  }

  /** The capture is over: what `rest` has left is told, and all is summed up. `dropped`: packets that the capture says it lost. */
  end(dropped = 0): TraceResult {
    const { trust, tcp, decoder } = this;
    for (const _ of this.rest());
    this.udp.end();
    trust.note('dropped', 0, dropped);
    trust.note('snap_length', 0, this.cutPackets);
    trust.note('duplicates', tcp.firstCopy, tcp.copies);
    trust.note('clock_back', tcp.firstBack, tcp.clockBack);
    trust.note('fragments', 0, decoder.fragmentsMissing);
    trust.note('undecoded', 0, decoder.stats.undecoded);
    const name = (family: 4 | 6, address: number) => formatIp(this.addresses.address(family, address));
    const { packets, tcpPackets, udpPackets } = this;
    const summary = this.totals.summary(
      this.counted.rules(name),
      {
        packets,
        tcpPackets,
        udpPackets,
        otherPackets: packets - tcpPackets - udpPackets,
        pools: this.counted.pools(name),
        retries: this.counted.retries(name),
        trust: trust.notes(),
      },
      this.first && moment(this.first.frame, this.first.time),
      moment(this.lastFrame || (this.first?.frame ?? 0), this.now),
    );
    return {
      summary,
      worst: this.worst.list(),
      ...(this.followed !== undefined && { followed: this.followed }),
    };
  }
}
