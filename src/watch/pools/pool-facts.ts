import type { Endpoint } from '../../model/endpoint.js';
import type { Namespace } from '../../model/namespace.js';
import type { Origin } from '../../model/observation.js';
import type { Pool, RemoteSum, Spread } from '../../model/pools.js';
import { serviceOf } from '../../model/services.js';
import { bytes, type Connections, connections, millis, perSecond } from '../../model/units.js';
import { type ConnectionList, MARKS } from './connection-list.js';
import type { PoolBook, PoolEntry } from './pool-book.js';

/** The look that ended the watch. */
interface LastLook {
  /** Its number, from 0. */
  readonly lastLook: number;
  readonly namespace: Namespace | undefined;
}

interface DescribedPools {
  readonly pools: readonly Pool[];
  readonly remotes: readonly RemoteSum[];
  /** In the book. */
  readonly numbers: ReadonlyMap<Pool, number>;
}

/** The pools of a watch as facts, those with the most connections first, and the remotes of the outbound ones. */
export function describePools(
  book: PoolBook,
  list: ConnectionList,
  origin: Origin,
  at: LastLook,
): DescribedPools {
  const spreads = new Spreads(list);
  // A pool whose connections all turned out to be of another had an owner that was found late.
  const entries = [...book.all()].filter(
    ([, { tally }]) => tally.seen > 0 || tally.connectFailed > 0 || !tally.isEmpty,
  );
  const numbers = new Map(
    entries.map(([number, entry]) => [
      describePool(entry, spreads.of(number, origin.monotonic), origin, at),
      number,
    ]),
  );
  return {
    pools: [...numbers.keys()].sort(byWeight),
    numbers,
    remotes: sumRemotes(
      entries.map(([, entry]) => entry),
      origin,
      at.lastLook,
    ),
  };
}

const weight = ({ open, connecting, closeWait, finWait, lastAck }: Pool) =>
  open + connecting + closeWait + finWait + lastAck;

export const byWeight = (a: Pool, b: Pool): number =>
  weight(b) - weight(a) || b.timeWait - a.timeWait || b.past.created - a.past.created;

const portOf = (end: Endpoint) => (end.kind === 'ip' ? end.port : undefined);

/** Per second since the pool was first seen; nothing after one look. */
const rate = (count: number, ms: number) => (ms > 0 ? perSecond((count * 1000) / ms) : undefined);

function describePool(
  { identity, tally }: PoolEntry,
  spreads: PoolSpreads,
  origin: Origin,
  { lastLook, namespace }: LastLook,
): Pool {
  const { direction, owner, end } = identity;
  const past = tally.past(origin.monotonic, lastLook);
  const watched = tally.sinceMs(origin.monotonic);
  const createdPerSecond = rate(past.created, watched);
  const closedPerSecond = rate(past.closed, watched);
  const port = portOf(end);
  const service = serviceOf(port);
  const serving = tally.serving.describe();
  const traffic = tally.traffic.describe();
  return {
    direction,
    owner,
    ...(origin.netns !== undefined && { netns: origin.netns }),
    ...(namespace !== undefined && { namespace }),
    end,
    ...(port !== undefined && { port }),
    ...(service !== undefined && { service }),
    ...tally.counts(),
    ...(createdPerSecond !== undefined && { createdPerSecond }),
    ...(closedPerSecond !== undefined && { closedPerSecond }),
    ...(tally.stale > 0 ? withoutQuiet(spreads) : spreads),
    ...(tally.hasBytes && {
      bytesSent: bytes(tally.bytesSent),
      bytesReceived: bytes(tally.bytesReceived),
      retransmissions: tally.retransmissions,
    }),
    past,
    closeWaits: tally.closeWaits(),
    idleCloses: tally.idleCloses.describe(),
    probes: tally.probes.describe(),
    longLived: tally.longLived.describe(),
    ...(traffic && { traffic }),
    ...(serving && { serving }),
  };
}

/** Those that are known may be those alone on which something happened. */
const withoutQuiet = ({ quiet: _, ...spreads }: PoolSpreads): PoolSpreads => spreads;

type PoolSpreads = Pick<Pool, 'age' | 'agesAtLeast' | 'quiet' | 'rtt'>;

/** The open connections of a list by pool, so that each pool sorts only its own. */
class Spreads {
  /** Entries, those of one pool side by side. */
  private readonly order: Int32Array;
  private readonly starts: Int32Array;

  constructor(private readonly list: ConnectionList) {
    const { length, pool } = list;
    let pools = 0;
    for (let entry = 0; entry < length; entry++) pools = Math.max(pools, (pool[entry] ?? 0) + 1);
    const starts = new Int32Array(pools + 1);
    for (let entry = 0; entry < length; entry++) {
      const next = (pool[entry] ?? 0) + 1;
      starts[next] = (starts[next] ?? 0) + 1;
    }
    for (let number = 0; number < pools; number++)
      starts[number + 1] = (starts[number + 1] ?? 0) + (starts[number] ?? 0);
    this.order = new Int32Array(length);
    const at = starts.slice();
    for (let entry = 0; entry < length; entry++) {
      const number = pool[entry] ?? 0;
      // Of no pool, as the filter leaves it out.
      if (number < 0) continue;
      const place = at[number] ?? 0;
      this.order[place] = entry;
      at[number] = place + 1;
    }
    this.starts = starts;
  }

  of(pool: number, now: number): PoolSpreads {
    const { list } = this;
    const entries = this.order.subarray(this.starts[pool] ?? 0, this.starts[pool + 1] ?? 0);
    const open = entries.filter((entry) => list.isOpen(entry));
    const age = spreadOf(open, (entry) => now - (list.bornAt[entry] ?? Number.NaN));
    const quiet = spreadOf(open, (entry) => list.quietMs[entry] ?? Number.NaN);
    const rtt = spreadOf(open, (entry) => list.rttMs[entry] ?? Number.NaN);
    return {
      ...(age && { age }),
      agesAtLeast: open.some((entry) => ((list.marks[entry] ?? 0) & MARKS.older) !== 0),
      ...(quiet && { quiet }),
      ...(rtt && { rtt }),
    };
  }
}

/** Nearest rank; `undefined` where no value is known. */
function spreadOf(entries: Int32Array, numberOf: (entry: number) => number): Spread | undefined {
  const values = Float64Array.from(entries, numberOf)
    .filter((value) => !Number.isNaN(value))
    .sort();
  if (values.length === 0) return undefined;
  const at = (share: number) => millis(values[Math.max(0, Math.ceil(values.length * share) - 1)] ?? 0);
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
}

function sumRemotes(entries: readonly PoolEntry[], origin: Origin, lastLook: number): RemoteSum[] {
  const groups = new Map<number | string, PoolEntry[]>();
  for (const entry of entries) {
    if (entry.remote === undefined) continue;
    const group = groups.get(entry.endKey);
    if (group === undefined) groups.set(entry.endKey, [entry]);
    else group.push(entry);
  }
  return [...groups.values()]
    .map((group) => sumRemote(group, origin, lastLook))
    .sort((a, b) => b.open - a.open || b.timeWait - a.timeWait);
}

function sumRemote(group: readonly PoolEntry[], origin: Origin, lastLook: number): RemoteSum {
  const counts = group.map(({ tally }) => tally.counts());
  const pasts = group.map(({ tally }) => tally.past(origin.monotonic, lastLook));
  const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
  const total = (values: readonly number[]): Connections => connections(sum(values));
  const end = (group[0] as PoolEntry).identity.end;
  const service = serviceOf(portOf(end));
  const watched = Math.max(...group.map(({ tally }) => tally.sinceMs(origin.monotonic)));
  const createdPerSecond = rate(sum(pasts.map(({ created }) => created)), watched);
  const closedPerSecond = rate(sum(pasts.map(({ closed }) => closed)), watched);
  return {
    end,
    ...(service !== undefined && { service }),
    processes: group.filter(({ identity }) => typeof identity.owner === 'object').length,
    open: total(counts.map(({ open }) => open)),
    connecting: total(counts.map(({ connecting }) => connecting)),
    ...(counts.some(({ busy }) => busy !== undefined) && {
      busy: total(counts.map(({ busy = 0 }) => busy)),
      idle: total(counts.map(({ idle = 0 }) => idle)),
      unsure: total(counts.map(({ unsure = 0 }) => unsure)),
    }),
    timeWait: total(counts.map(({ timeWait }) => timeWait)),
    highest: connections(group[0]?.remote?.highest ?? 0),
    ...(createdPerSecond !== undefined && { createdPerSecond }),
    ...(closedPerSecond !== undefined && { closedPerSecond }),
  };
}
