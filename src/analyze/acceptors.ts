import type { Evidence } from '../model/findings.js';
import type { Listener } from '../model/listener.js';
import type { AcceptorFacts, HeldConnections, ThreadFacts } from '../model/processes.js';
import type { SocketTable } from '../model/table.js';
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
  const held = { accepted: 0, idle: 0, readers: 0 };
  const port = table.localPort[listener];
  for (let row = 0; row < table.length; row++) {
    if (table.state[row] !== ESTABLISHED || table.localPort[row] !== port) continue;
    const socket = inode[row] ?? Number.NaN;
    if (!(socket > 0)) continue;
    held.accepted++;
    if ((table.recvQueue[row] ?? 0) > 0 || Math.min(sent[row] ?? 0, received[row] ?? 0) < IDLE_MS) continue;
    held.idle++;
    held.readers += readFrom.get(socket) ?? 0;
  }
  return held;
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

/** Less than this share of a window is no evidence. */
const LEAST_SHARE = 0.05;
const BUSY_CPUS = 0.9;

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
