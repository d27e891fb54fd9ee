import { formatEndpoint } from '../model/endpoint.js';
import type { HeldConnections } from '../model/processes.js';
import type { Owner } from '../model/sockets.js';
import { acceptorEvidence, areForked, isRest, sumThreads } from './acceptors.js';
import { evidence, queueEvidence, waitEvidence } from './evidence.js';
import { type Draft, type Facts, isFull, isStopped, waitingOf } from './facts.js';
import { areSeveral, count, counted, ownerText } from './words.js';

/** Whoever waits for the listener itself has been woken long before. */
const WAITED_MS = 1000;

type Threads = NonNullable<ReturnType<typeof sumThreads>>;

/**
 * Threads that serve one connection each sit in read() on connections of their own, while others wait for accept(). One look is enough: the oldest
 * wait says that nobody came for it.
 */
export function judgeThreads(facts: Facts): Draft | undefined {
  const { listener, acceptors = [], held } = facts;
  const threads = sumThreads(acceptors);
  if (threads === undefined || held === undefined || !hasWaited(facts) || threads.accepting > 0)
    return undefined;
  const worker = areForked(acceptors) ? 'process' : 'thread';
  const blocked = boundThreads(threads, held, worker) ?? blockedThreads(threads, held, worker);
  if (blocked === undefined) return undefined;
  const waits = `${counted(listener.acceptQueue.length, 'connection')} ${listener.acceptQueue.length === 1 ? 'waits' : 'wait'} for accept()`;
  return {
    severity: isFull(listener) ? 'critical' : 'warning',
    message: `${blocked.text}, while ${waits}`,
    evidence: [
      evidence('threads.blocked', blocked.threads, 'threads', blocked.why),
      evidence(
        'connections.idle',
        held.idle,
        'connections',
        `${count(held.idle)} of ${counted(held.accepted, 'accepted connection')} idle: nothing unread, no data for a second`,
      ),
      ...queueEvidence(listener),
      ...waitEvidence(listener),
      ...acceptorEvidence(acceptors).filter((one) => !isRest(one)),
    ],
    advice: `${ownerText(listener.owners)} ${areSeveral(listener.owners) ? 'give' : 'gives'} each connection a ${worker} until it closes: ${blocked.advice}`,
    ...(facts.oneLook && { verdict: isFull(listener) ? ('full' as const) : ('filling' as const) }),
  };
}

type Worker = 'thread' | 'process';
const PLURALS: Readonly<Record<Worker, string>> = { thread: 'threads', process: 'processes' };
const pluralOf = (worker: Worker, number: number): string => (number === 1 ? worker : PLURALS[worker]);

/** The others serve requests, or do what has nothing to do with connections. */
const workingOf = (threads: Threads): number =>
  threads.looked - threads.parked - threads.polling - threads.pollingOne;

/**
 * All that work wait for the next request of a client of their own, and not all of these are idle. A thread that serves a request just now is not
 * in read(): another look tells. Where more wait for many in one thread, those in the background are not why nobody accepts.
 */
function boundThreads(threads: Threads, { bound, readers }: HeldConnections, worker: Worker) {
  if (bound === 0 || bound === readers || bound < workingOf(threads) || threads.polling >= bound)
    return undefined;
  const all = `${count(bound)} worker ${pluralOf(worker, bound)}`;
  return {
    threads: bound,
    text: `${count(bound)} of ${all} ${bound === 1 ? 'waits in read() on a connection of its own' : 'each wait in read() on a connection of their own'} (busy keep-alive clients)`,
    why: `${count(bound)} of ${all} in read() on an accepted connection, ${count(readers)} of them on an idle one, ${count(threads.accepting)} in accept()`,
    advice: `more of them than clients keep connections, a limit of requests per connection, or a server that waits for many connections in one thread (NIO, epoll); a keep-alive timeout alone does not free what is in use`,
  };
}

function blockedThreads(threads: Threads, { readers, idle }: HeldConnections, worker: Worker) {
  if (idle === 0) return undefined;
  const advice = `a keep-alive timeout of a second or two, more ${PLURALS[worker]} than clients keep connections, or a server that waits for many connections in one thread (NIO, epoll)`;
  if (readers > 0 && readers * 2 >= workingOf(threads))
    return {
      threads: readers,
      text: `${count(readers)} ${pluralOf(worker, readers)} ${readers === 1 ? 'waits' : 'wait'} in read() for the next request on idle connections`,
      why: `${count(readers)} of ${counted(threads.threads, 'thread')} in read() on a connection that is idle, ${count(threads.accepting)} in accept()`,
      advice,
    };
  // Java waits for one socket in poll(); which one, only its memory tells.
  if (threads.reading === 0 && threads.pollingOne >= idle && threads.running === 0)
    return {
      threads: idle,
      text: `a thread seems to wait on each of ${counted(idle, 'idle connection')}`,
      why: `${count(threads.pollingOne)} of ${counted(threads.threads, 'thread')} in poll() for one descriptor each, ${count(idle)} idle connections, no thread in accept()`,
      advice,
    };
  return undefined;
}

function hasWaited(facts: Facts): boolean {
  const { listener } = facts;
  if (listener.acceptQueue.length === 0) return false;
  const oldest = waitingOf(listener)?.oldestMs;
  return oldest === undefined ? isStopped(facts) : oldest >= WAITED_MS;
}

/** With fewer the one reader may have nothing to do with requests. */
const LEAST_WAITING = 2;

/**
 * The threads that serve connections wait for an answer of one other server while connections wait for accept(). Threads in epoll_wait() count
 * as able to serve: where there are more of those, readers in the background are not why nobody accepts.
 */
export function judgeDownstream(facts: Facts): Draft | undefined {
  const { listener, acceptors = [], held } = facts;
  const { downstream } = held ?? {};
  if (downstream === undefined || !hasWaited(facts) || judgeThreads(facts) !== undefined) return undefined;
  const { remote, threads, working } = downstream;
  if (threads < LEAST_WAITING || threads * 2 < working) return undefined;
  const to = formatEndpoint(remote);
  const text = `${count(threads)} of ${counted(working, 'thread')} that do not wait for each other wait in read() for ${to}`;
  const { length } = listener.acceptQueue;
  return {
    severity: isFull(listener) ? 'critical' : 'warning',
    message: `${count(threads)} of ${counted(working, 'thread')} of ${ownerText(listener.owners)} wait in read() for ${to}, while ${counted(length, 'connection')} ${length === 1 ? 'waits' : 'wait'} for accept()`,
    evidence: [
      evidence(
        'threads.waiting',
        threads,
        'threads',
        `${text}, each with a request that went out a second ago or longer`,
      ),
      ...queueEvidence(listener),
      ...waitEvidence(listener),
      ...acceptorEvidence(acceptors),
    ],
    advice: `see why ${to} does not answer (sockwatch diagnose on its host); a timeout on reading and a limit of requests to it keep ${ownerText(listener.owners)} from waiting with all threads`,
    ...(facts.oneLook && { verdict: isFull(listener) ? ('full' as const) : ('filling' as const) }),
  };
}

/**
 * Nobody accepts, and nobody works: the process does not want more connections. Tomcat stops at maxConnections, nginx at
 * worker_connections (KERNEL.md 10); a deadlock among threads looks the same.
 */
export function judgeOwnLimit(facts: Facts): Draft | undefined {
  const { listener, acceptors = [], held } = facts;
  const threads = sumThreads(acceptors);
  if (threads === undefined || held === undefined || held.accepted === 0) return undefined;
  if (facts.oneLook || !isStopped(facts) || acceptors.some(({ now }) => now.state.toUpperCase() === 'T'))
    return undefined;
  const busy = threads.looked - threads.parked - threads.polling - threads.pollingOne;
  if (busy > 0 || threads.polling === 0 || judgeThreads(facts) !== undefined) return undefined;
  const owner = ownerText(listener.owners);
  const many = areSeveral(listener.owners);
  return {
    severity: isFull(listener) ? 'critical' : 'warning',
    message: `${owner} ${many ? 'hold' : 'holds'} ${counted(held.accepted, 'connection')} and ${many ? 'accept' : 'accepts'} no more, though none of ${many ? 'their' : 'its'} threads works: ${many ? 'they seem to be at a limit of their' : 'it seems to be at a limit of its'} own`,
    evidence: [
      evidence(
        'connections.accepted',
        held.accepted,
        'connections',
        `${counted(held.accepted, 'connection')} accepted and open`,
      ),
      evidence(
        'threads.parked',
        threads.parked,
        'threads',
        `of ${counted(threads.threads, 'thread')} none runs and none is in accept(); ${count(threads.polling)} in epoll_wait() or the like, ${count(threads.parked)} waiting for others`,
      ),
      ...queueEvidence(listener),
      ...waitEvidence(listener),
    ],
    advice: `compare ${count(held.accepted)} with ${limitNames(listener.owners)}; raise it, or let idle connections be closed sooner (keep-alive timeout); a deadlock looks the same: take a thread dump`,
  };
}

const LIMITS: readonly (readonly [name: RegExp, limit: string])[] = [
  [/^java/, 'the limit of its server (Tomcat maxConnections)'],
  [/^nginx/, 'worker_connections'],
  [/^node/, 'server.maxConnections'],
  [/^haproxy/, 'maxconn'],
  [/^(postgres|mysqld|mariadbd)/, 'max_connections'],
];

const limitNames = (owners: readonly Owner[] | undefined): string =>
  LIMITS.find(([name]) => owners?.some((owner) => name.test(owner.name)))?.[1] ??
  'the limit of connections that it is configured with';
