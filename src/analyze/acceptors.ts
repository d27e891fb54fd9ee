import { directionFinder } from '../model/direction.js';
import { formatEndpoint } from '../model/endpoint.js';
import type { Evidence } from '../model/findings.js';
import type { Listener } from '../model/listener.js';
import type { AcceptorFacts, Downstream, HeldConnections, ThreadFacts } from '../model/processes.js';
import { isStaleRow, type SocketTable } from '../model/table.js';
import { ESTABLISHED } from './codes.js';
import { evidence } from './evidence.js';
import { count, counted, duration, percent } from './words.js';

const IDLE_MS = 1000;

/** Counts what the owners of a listener have accepted. `undefined`: the look has no inodes or times. */
export function heldConnections(
  table: SocketTable,
  { row: listener }: Listener,
  acceptors: readonly AcceptorFacts[],
): HeldConnections | undefined {
  const inode = table.column('inode');
  const sent = table.column('lastSentMs');
  const received = table.column('lastReceivedMs');
  if (inode === undefined || sent === undefined || received === undefined) return undefined;
  const readFrom = new Map<number, number>();
  for (const { now } of acceptors)
    for (const socket of now.threads?.readingFrom ?? [])
      readFrom.set(socket, (readFrom.get(socket) ?? 0) + 1);
  const held = { accepted: 0, idle: 0, readers: 0, bound: 0 };
  const port = table.localPort[listener];
  for (let row = 0; row < table.length; row++) {
    if (table.state[row] !== ESTABLISHED || table.localPort[row] !== port) continue;
    const socket = inode[row] ?? Number.NaN;
    if (!(socket > 0)) continue;
    held.accepted++;
    if ((table.recvQueue[row] ?? 0) > 0) continue;
    const readers = readFrom.get(socket) ?? 0;
    held.bound += readers;
    if (isStaleRow(table, row) || Math.min(sent[row] ?? 0, received[row] ?? 0) < IDLE_MS) continue;
    held.idle++;
    held.readers += readers;
  }
  const downstream = downstreamOf(table, acceptors);
  return downstream === undefined ? held : { ...held, downstream };
}

/**
 * Who most threads wait for: in read() on a connection that was made from here, on which a request went out after the last answer, a second ago
 * or longer.
 */
function downstreamOf(table: SocketTable, acceptors: readonly AcceptorFacts[]): Downstream | undefined {
  const readers = readersOf(acceptors);
  if (readers.size === 0) return undefined;
  const inode = table.column('inode');
  const sent = table.column('lastSentMs');
  const received = table.column('lastReceivedMs');
  const directionOf = directionFinder(table);
  const byRemote = new Map<string, { row: number; threads: number; readonly processes: Set<ThreadFacts> }>();
  for (let row = 0; row < table.length; row++) {
    const reading = readers.get(inode?.[row] ?? 0);
    if (reading === undefined || table.state[row] !== ESTABLISHED || directionOf(row) !== 'outbound')
      continue;
    const sentMs = sent?.[row] ?? 0;
    if (isStaleRow(table, row)) continue;
    if ((table.recvQueue[row] ?? 0) > 0 || sentMs < IDLE_MS || sentMs > (received?.[row] ?? 0)) continue;
    const { remote } = table.row(row);
    if (remote === undefined) continue;
    const key = formatEndpoint(remote);
    const one = byRemote.get(key) ?? { row, threads: 0, processes: new Set() };
    byRemote.set(key, one);
    one.threads += reading.length;
    for (const process of reading) one.processes.add(process);
  }
  const [most] = [...byRemote.values()].sort((a, b) => b.threads - a.threads);
  const remote = most && table.row(most.row).remote;
  if (most === undefined || remote === undefined) return undefined;
  const working = [...most.processes].reduce((sum, { looked, parked }) => sum + looked - parked, 0);
  return { remote, threads: most.threads, working };
}

/** The process of each thread that waits to read, by the inode of the socket. */
function readersOf(acceptors: readonly AcceptorFacts[]): ReadonlyMap<number, readonly ThreadFacts[]> {
  const readers = new Map<number, ThreadFacts[]>();
  for (const {
    now: { threads },
  } of acceptors)
    for (const socket of threads?.readingFrom ?? []) {
      const known = readers.get(socket) ?? [];
      readers.set(socket, known);
      if (threads !== undefined) known.push(threads);
    }
  return readers;
}

type ThreadNumber = Exclude<keyof ThreadFacts, 'readingFrom'>;

/** Threads of all owners together; `undefined` where those of one could not be read. */
export function sumThreads(
  acceptors: readonly AcceptorFacts[],
): (Record<ThreadNumber, number> & { readonly reading: number }) | undefined {
  const all = acceptors.map(({ now }) => now.threads);
  if (all.length === 0 || all.some((one) => one === undefined || one.looked < one.threads)) return undefined;
  const sum = (of: (one: ThreadFacts) => number) =>
    all.reduce((total, one) => total + (one === undefined ? 0 : of(one)), 0);
  return {
    threads: sum(({ threads }) => threads),
    looked: sum(({ looked }) => looked),
    accepting: sum(({ accepting }) => accepting),
    polling: sum(({ polling }) => polling),
    pollingOne: sum(({ pollingOne }) => pollingOne),
    parked: sum(({ parked }) => parked),
    running: sum(({ running }) => running),
    blockedOnDisk: sum(({ blockedOnDisk }) => blockedOnDisk),
    reading: sum(({ readingFrom }) => readingFrom.length),
  };
}

/** One thread each, in several processes: a server that forks its workers. */
export function areForked(acceptors: readonly AcceptorFacts[]): boolean {
  const reading = acceptors.filter(({ now: { threads } }) => (threads?.readingFrom.length ?? 0) > 0);
  return acceptors.length > 1 && reading.every(({ now: { threads } }) => threads?.threads === 1);
}

/** Less than this share of a window is no evidence. */
const LEAST_SHARE = 0.05;
const BUSY_CPUS = 0.9;

/** That it does nothing, beside what it waits for. */
export const isRest = ({ metric, value }: Evidence): boolean =>
  metric === 'owner.cpus' && value < LEAST_SHARE;

/** What of the owners' state may make accept() slow: evidence, never the sole cause but for a process that is stopped. */
export const acceptorEvidence = (acceptors: readonly AcceptorFacts[] | undefined): Evidence[] =>
  (acceptors ?? []).flatMap((one) => [...stateEvidence(one), ...timeEvidence(one)]);

const nameOf = ({ owner }: AcceptorFacts) => `${owner.name}/${owner.pid}`;

function stateEvidence(one: AcceptorFacts): Evidence[] {
  const { state, threads } = one.now;
  const name = nameOf(one);
  if (state === 'T' || state === 't')
    return [
      evidence(
        'owner.stopped',
        1,
        'processes',
        state === 'T' ? `${name} is stopped (state T)` : `${name} is stopped by a debugger (state t)`,
      ),
    ];
  const onDisk = threads?.blockedOnDisk ?? (state === 'D' ? 1 : 0);
  if (onDisk === 0) return [];
  const text = `${counted(onDisk, 'thread')} of ${name} in uninterruptible sleep (state D): storage, mostly`;
  return [evidence('owner.threads_in_d', onDisk, 'threads', text)];
}

function timeEvidence(one: AcceptorFacts): Evidence[] {
  const { since } = one;
  if (since === undefined) return [];
  const { windowMs, cpus = 0, runWaitMs = 0, throttledTimes = 0, throttledMs = 0 } = since;
  const name = nameOf(one);
  const inTime = `in the last ${duration(windowMs)}`;
  const found: Evidence[] = [];
  if (throttledTimes > 0) {
    const text = `the control group of ${name} used up its CPU quota ${counted(throttledTimes, 'time')} and was throttled for ${duration(throttledMs)} ${inTime}`;
    found.push(evidence('cgroup.throttled_ms', throttledMs, 'ms', text));
  }
  if (runWaitMs >= windowMs * LEAST_SHARE) {
    const text = `threads of ${name} were ready to run and waited for a processor for ${duration(runWaitMs)} ${inTime}`;
    found.push(evidence('owner.run_wait_ms', runWaitMs, 'ms', text));
  }
  if (cpus >= BUSY_CPUS) {
    const text = `${name} used ${cpus < 9.95 ? cpus.toFixed(1) : count(cpus)} processors ${inTime}`;
    found.push(evidence('owner.cpus', cpus, 'processors', text));
  } else if (cpus < LEAST_SHARE && throttledTimes === 0 && one.now.state === 'S') {
    const text = `${name} used ${percent(cpus)} of a processor ${inTime}: it waits for something`;
    found.push(evidence('owner.cpus', cpus, 'processors', text));
  }
  return found;
}
