import type { Endpoint } from '../../model/endpoint.js';
import { formatEndpoint } from '../../model/endpoint.js';
import type { Listener } from '../../model/listener.js';
import type { ClosedObservation } from '../../model/observation.js';
import type { Owner } from '../../model/sockets.js';
import type { SocketTable } from '../../model/table.js';
import { type Around, BatchReader } from './batch.js';
import { type ClosedFacts, ClosedTally } from './tally.js';

/** Whoever has more remotes than this at a time is not followed in detail: what is beyond is counted. */
export const MOST_GROUPS = 2000;
const FORGOTTEN = 200;
const FORGET_MS = 60_000;

/** The connections of one listener, or of one process to one remote. */
export interface Group {
  readonly id: string;
  readonly direction: 'inbound' | 'outbound';
  readonly end: Endpoint;
  readonly owners: readonly Owner[] | undefined;
  readonly ownersOf: 'socket' | 'listener';
  readonly tally: ClosedTally;
}
export type Groups = ReadonlyMap<string, Group>;

/** What one batch had at one listener. */
export interface ListenerCount {
  closed: number;
  /** Those that the table before did not have yet. */
  fresh: number;
}

export interface Added {
  readonly groups: Groups;
  readonly inbound: number;
  readonly outbound: number;
  readonly failedConnects: number;
  readonly notShown: number;
  readonly listeners: ReadonlyMap<string, ListenerCount>;
}

const newFacts = (): ClosedFacts => ({
  weight: 1,
  ending: 'unknown',
  closer: 'unknown',
  lastedAtLeast: 0,
  lastedAtMost: 0,
  idle: 0,
  bytesSent: 0,
  bytesReceived: 0,
  rtt: 0,
  retransmissions: 0,
  busy: 0,
  receiverLimited: 0,
  bufferLimited: 0,
});

/** Adds the rows of a batch to copies of the groups that they belong to. */
export class BatchAdder {
  private readonly groups: Map<string, Group>;
  /** By listener, or by remote and process: so that most rows need no text. */
  private readonly inbound = new Map<Listener, ClosedTally>();
  private readonly outbound = new Map<number, Map<number | string, ClosedTally>>();
  /** Copied for this batch, by group. */
  private readonly opened = new Map<string, ClosedTally>();
  private readonly listeners = new Map<string, ListenerCount>();
  private readonly facts = newFacts();
  private isFull = false;
  private counts = { inbound: 0, outbound: 0, failedConnects: 0, notShown: 0 };

  constructor(
    groups: Groups,
    private readonly monotonic: number,
  ) {
    this.groups = new Map(groups);
  }

  add(observation: ClosedObservation, around: Around): void {
    const reader = new BatchReader(observation, around);
    const { facts } = this;
    for (let row = 0; row < reader.table.length; row++) {
      const listener = reader.listenerOf(row);
      const direction = listener === undefined ? reader.directionOf(row) : 'inbound';
      reader.read(row, direction, listener, facts);
      const tally =
        listener !== undefined
          ? this.inboundTally(listener)
          : direction === 'inbound'
            ? this.strayTally(reader.table, row)
            : this.outboundTally(reader, row, around);
      if (tally === undefined) this.counts.notShown += facts.weight;
      else tally.add(facts);
      if (facts.ending === 'refused' || facts.ending === 'unanswered')
        this.counts.failedConnects += facts.weight;
      else if (direction !== 'inbound') this.counts.outbound += facts.weight;
      else this.countInbound(listener, reader.isFresh(row), facts.weight);
    }
  }

  end(): Added {
    return { ...this.counts, groups: this.groups, listeners: this.listeners };
  }

  private countInbound(listener: Listener | undefined, isFresh: boolean, times: number): void {
    this.counts.inbound += times;
    if (listener === undefined) return;
    const { key } = listener;
    const count = this.listeners.get(key) ?? { closed: 0, fresh: 0 };
    this.listeners.set(key, count);
    count.closed += times;
    if (isFresh) count.fresh += times;
  }

  private inboundTally(listener: Listener): ClosedTally | undefined {
    const known = this.inbound.get(listener);
    if (known !== undefined) return known;
    const { local, owners } = listener;
    const tally = this.open({
      id: `in ${formatEndpoint(local)}`,
      direction: 'inbound',
      end: local,
      owners,
      ownersOf: 'listener',
    });
    if (tally !== undefined) this.inbound.set(listener, tally);
    return tally;
  }

  /** Came in through a listener that no table has had. */
  private strayTally(table: SocketTable, row: number): ClosedTally | undefined {
    const end = table.row(row).local;
    const id = `in ${formatEndpoint(end)}`;
    return this.open({ id, direction: 'inbound', end, owners: undefined, ownersOf: 'listener' });
  }

  private outboundTally(reader: BatchReader, row: number, { before }: Around): ClosedTally | undefined {
    const { table } = reader;
    const rowBefore = reader.rowBefore(row);
    const owners = rowBefore < 0 ? undefined : before?.table.ownersAt(rowBefore);
    const pid = leastPid(owners);
    const key = remoteKey(table, row);
    const ofOwner = this.outbound.get(pid) ?? new Map<number | string, ClosedTally>();
    this.outbound.set(pid, ofOwner);
    const known = ofOwner.get(key);
    if (known !== undefined) return known;
    const end = table.row(row).remote;
    if (end === undefined) return undefined;
    const id = `out ${pid} ${formatEndpoint(end)}`;
    const tally = this.open({ id, direction: 'outbound', end, owners, ownersOf: 'socket' });
    if (tally !== undefined) ofOwner.set(key, tally);
    return tally;
  }

  /** The tally of a group, copied once for this batch; `undefined` where there are too many groups. */
  private open(group: Omit<Group, 'tally'>): ClosedTally | undefined {
    const opened = this.opened.get(group.id);
    if (opened !== undefined) return opened;
    const known = this.groups.get(group.id);
    if (known === undefined && this.groups.size >= MOST_GROUPS && !this.makeRoom()) return undefined;
    const tally = known === undefined ? ClosedTally.start(this.monotonic) : known.tally.at(this.monotonic);
    this.groups.set(group.id, { ...group, tally });
    this.opened.set(group.id, tally);
    return tally;
  }

  /** Groups in which nothing has ended for a while, the longest first. */
  private makeRoom(): boolean {
    if (this.isFull) return false;
    const old = [...this.groups.values()]
      .filter(({ tally }) => this.monotonic - tally.lastAt > FORGET_MS)
      .sort((a, b) => a.tally.lastAt - b.tally.lastAt)
      .slice(0, FORGOTTEN);
    for (const { id } of old) this.groups.delete(id);
    this.isFull = old.length === 0;
    return !this.isFull;
  }
}

const UNKNOWN = -2;
const NOBODY = -1;

function leastPid(owners: readonly Owner[] | undefined): number {
  if (owners === undefined) return UNKNOWN;
  let least = NOBODY;
  for (const { pid } of owners) if (least === NOBODY || pid < least) least = pid;
  return least;
}

/** A number for IPv4 (48 bits); IPv6 is rarer and may cost a text. */
function remoteKey(table: SocketTable, row: number): number | string {
  const words = table.remoteAddress;
  const port = table.remotePort[row] ?? 0;
  if (table.family[row] === 4) return (words[row * 4 + 3] ?? 0) * 65_536 + port;
  return `${words.subarray(row * 4, row * 4 + 4).join(':')}/${port}/${table.remoteName[row] ?? 0}`;
}
