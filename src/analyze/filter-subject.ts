import { type Endpoint, formatEndpoint } from '../model/endpoint.js';
import type { Verdict } from '../model/findings.js';
import type { IpAddress } from '../model/ip.js';
import type { ListenerReport } from '../model/listener.js';
import type { Home, Namespace } from '../model/namespace.js';
import type { SocketRow } from '../model/socket-row.js';
import type { Owner, Protocol, SocketState } from '../model/sockets.js';
import { UNIX } from './codes.js';
import { waitingOf } from './facts.js';
import type { Truth } from './filter-language.js';
import type { Network } from './filter-values.js';

export type Side = 'local' | 'remote';
export type Quantity = 'recvq' | 'sendq' | 'rtt' | 'wait' | 'fill' | 'uid' | 'inode';

/** There is no such number, and that is known: every comparison with it is false. */
const NONE = Number.NaN;

const NOWHERE: Home = {};

/** What terms are judged on. Numbers are `undefined` where unknown, NaN where the socket is known to have none. */
export interface Subject {
  readonly protocol: Protocol;
  readonly state: SocketState;
  readonly verdict: Verdict | undefined;
  readonly owners: readonly Owner[] | undefined;
  /** `undefined`: not known. */
  readonly namespace: Namespace | undefined;
  /** Where its process lives; its namespace itself where that is not known. */
  readonly home: Home | undefined;
  readonly isWaiting: Truth;
  /** Both ends as printed, lower case. */
  readonly addressText: string;
  /** What a regular expression sees: `tcp established 10.0.0.1:443 10.0.0.9:40112 nginx/812`. */
  readonly wholeText: string;
  port(side: Side): number | undefined;
  isWithin(side: Side, network: Network): boolean;
  /** Connections (recvq of a listener), bytes, ms, a ratio or a plain number. */
  quantity(what: Quantity): number | undefined;
}

/** Bounds what one regular expression can cost on one row. */
const LONGEST_TEXT = 500;

const endsText = (local: Endpoint, remote: Endpoint | undefined): string =>
  remote === undefined ? formatEndpoint(local) : `${formatEndpoint(local)} ${formatEndpoint(remote)}`;

function describe({ protocol, state, owners }: Subject, ends: string): string {
  const holders = (owners ?? []).map(({ name, pid }) => ` ${name}/${pid}`).join('');
  return `${protocol} ${state} ${ends}${holders}`.slice(0, LONGEST_TEXT);
}

/** A row of a table, read from its columns. One object for all rows: `load` the next. */
export class RowSubject implements Subject {
  private ends: string | undefined;

  constructor(private row: SocketRow) {}

  load(row: SocketRow): this {
    this.row = row;
    this.ends = undefined;
    return this;
  }

  get protocol() {
    return this.row.protocol;
  }

  get state() {
    return this.row.state;
  }

  get verdict() {
    return undefined;
  }

  get owners() {
    return this.row.owners;
  }

  get namespace() {
    return this.row.namespace;
  }

  get home() {
    return this.row.namespace;
  }

  get isWaiting() {
    return this.row.isWaiting;
  }

  get addressText() {
    return this.endsText().toLowerCase();
  }

  get wholeText(): string {
    return describe(this, this.endsText());
  }

  port(side: Side): number | undefined {
    const { table, index } = this.row;
    if (!this.hasIp(side)) return NONE;
    const isLocal = side === 'local';
    if (!table.hasFlag(index, isLocal ? 'localPortKnown' : 'remotePortKnown')) return undefined;
    return (isLocal ? table.localPort : table.remotePort)[index];
  }

  isWithin(side: Side, { family, words, masks }: Network): boolean {
    const { table, index } = this.row;
    if (!this.hasIp(side) || table.family[index] !== family) return false;
    const addresses = side === 'local' ? table.localAddress : table.remoteAddress;
    for (let word = 0; word < 4; word++) {
      if ((((addresses[index * 4 + word] ?? 0) ^ (words[word] ?? 0)) & (masks[word] ?? 0)) !== 0)
        return false;
    }
    return true;
  }

  quantity(what: Quantity): number | undefined {
    const { row } = this;
    if (what === 'recvq') return this.queue(row.table.recvQueue);
    // A listener's Send-Q is its backlog, no bytes (KERNEL.md 1).
    if (what === 'sendq') return row.isListener ? undefined : this.queue(row.table.sendQueue);
    if (what === 'rtt') return row.number('rttMs');
    if (what === 'wait') return row.isWaiting === false ? NONE : row.isWaiting && row.number('lastSentMs');
    return what === 'fill' ? undefined : row.number(what);
  }

  private queue(column: Uint32Array): number | undefined {
    return this.row.table.hasFlag(this.row.index, 'queues') ? column[this.row.index] : undefined;
  }

  private hasIp(side: Side): boolean {
    const { table, index } = this.row;
    return table.protocol[index] !== UNIX && !(side === 'remote' && table.hasFlag(index, 'remoteAny'));
  }

  private endsText(): string {
    this.ends ??= endsText(this.row.local, this.row.remote);
    return this.ends;
  }
}

/** A listener: its queue is the recvq, and it has no remote end. */
export class ListenerSubject implements Subject {
  readonly state = 'listen';

  constructor(private readonly report: ListenerReport) {}

  get protocol() {
    return this.report.listener.protocol;
  }

  get verdict() {
    return this.report.verdict;
  }

  get owners() {
    return this.report.listener.owners;
  }

  get namespace() {
    const { namespace, netns } = this.report.listener;
    return namespace ?? (netns === undefined ? undefined : { id: netns });
  }

  get home() {
    const { home, namespace, owners = [] } = this.report.listener;
    // Its process is known, and lives in none.
    return home ?? (owners.length > 0 && namespace !== undefined ? NOWHERE : namespace);
  }

  get isWaiting() {
    return this.report.listener.acceptQueue.length > 0;
  }

  get addressText() {
    return formatEndpoint(this.report.listener.local).toLowerCase();
  }

  get wholeText(): string {
    return describe(this, formatEndpoint(this.report.listener.local));
  }

  port(side: Side): number | undefined {
    const { local } = this.report.listener;
    return side === 'local' && local.kind === 'ip' ? local.port : NONE;
  }

  isWithin(side: Side, network: Network): boolean {
    const { local } = this.report.listener;
    return side === 'local' && local.kind === 'ip' && contains(network, local.address);
  }

  quantity(what: Quantity): number | undefined {
    const { listener } = this.report;
    const { acceptQueue, inode } = listener;
    if (what === 'recvq') return acceptQueue.length;
    if (what === 'fill') return acceptQueue.fill;
    if (what === 'inode') return inode;
    if (what !== 'wait') return undefined;
    return acceptQueue.length === 0 ? NONE : waitingOf(listener)?.oldestMs;
  }
}

/** Where connections went, or came in. */
export interface EndFacts {
  readonly direction: 'inbound' | 'outbound' | undefined;
  readonly end: Endpoint;
  readonly owners?: readonly Owner[] | undefined;
  readonly namespace?: Namespace | undefined;
}

/** Connections that ended and share a listener or a remote: of the other end nothing is known. */
export class EndSubject implements Subject {
  /** Events do not tell it. */
  readonly home = undefined;

  readonly protocol = 'tcp';
  readonly state = 'close';
  readonly verdict = undefined;
  readonly isWaiting = false;

  /** @param rttMs of those that it is known of */
  constructor(
    private readonly group: EndFacts,
    private readonly rttMs: () => number | undefined,
  ) {}

  get namespace() {
    return this.group.namespace;
  }

  get owners() {
    return this.group.owners;
  }

  get addressText() {
    return formatEndpoint(this.group.end).toLowerCase();
  }

  get wholeText(): string {
    return describe(this, formatEndpoint(this.group.end));
  }

  port(side: Side): number | undefined {
    const { end } = this.group;
    return side === this.side && end.kind === 'ip' ? end.port : undefined;
  }

  isWithin(side: Side, network: Network): boolean {
    const { end } = this.group;
    return side === this.side && end.kind === 'ip' && contains(network, end.address);
  }

  quantity(what: Quantity): number | undefined {
    return what === 'rtt' ? this.rttMs() : undefined;
  }

  private get side(): Side {
    return this.group.direction === 'inbound' ? 'local' : 'remote';
  }
}

const contains = ({ family, words, masks }: Network, address: IpAddress): boolean =>
  family === address.family &&
  words.every((word, index) => ((word ^ (address.words[index] ?? 0)) & (masks[index] ?? 0)) === 0);
