import type { Evidence } from '../../model/findings.js';
import { MANY_EXCHANGES, type Pool, type PoolsSeen } from '../../model/pools.js';
import { count, duration, ownerText } from '../words.js';
import type { PoolContext, PoolRule } from './context.js';
import { apartText, endText, fact, perSecondText, processText, type Said } from './words.js';

type Sure = Said['sure'];

const SECOND = 1000;
/** From here on it is a habit, not a warm-up. */
const CHURN = { created: 10, perSecond: 2, closedShare: 0.7, reusedShare: 0.2 };
/** Of so many of those that were closed the bytes must be known, and this share must have carried none. */
const BARE = { known: 0.5, share: 0.8 };

/**
 * Connections are made for a request or two and closed. Those of one remote that had closed before a look could tell whose
 * they were count for the process that alone connects there, if it was seen to do so and to use few of them again: a pool beside
 * a stranger's short connections is none of it.
 */
export const churn: PoolRule = (pool, context) => {
  const turnover = turnoverOf(pool, context);
  if (turnover === undefined || turnover.areReused) return undefined;
  const { joined, perSecond } = turnover;
  const isAlone = joined.length === 1 || sumOf(joined, (one) => (one === pool ? 0 : one.past.created)) === 0;
  const least = context.seen.endsTold === 'all' ? '' : 'at least ';
  const sure = isAlone && typeof pool.owner === 'object' ? 'certain' : 'likely';
  const bare = bareOf(turnover);
  if (bare !== undefined) return bareSaid(pool, turnover, { sure, least, bare, seen: context.seen });
  return {
    rule: 'pool_churn',
    severity: 'warning',
    sure,
    message: `${subjectText(pool)} ${least}${perSecondText(perSecond)} new connections per second to ${endText(pool)} and closed most of them soon: no pool or keep-alive seems to be at work`,
    evidence: [createdFact(pool, turnover, least, context.seen), ...evidenceOf(pool, joined)],
    advice: `let ${typeof pool.owner === 'object' ? processText(pool) : 'the clients'} keep connections to ${endText(pool)}: one client or pool for the whole process instead of one per request, HTTP keep-alive on both sides, and a maximum idle that is not below what is used`,
  };
};

interface Bare {
  readonly count: number;
  readonly of: number;
}

/** Where most of them carried nothing: there was no request that another connection could have taken. */
function bareOf({ joined, closed }: Turnover): Bare | undefined {
  const bare = sumOf(joined, ({ past }) => past.bare?.count ?? 0);
  const of = sumOf(joined, ({ past }) => past.bare?.of ?? 0);
  return of >= closed * BARE.known && bare >= of * BARE.share ? { count: bare, of } : undefined;
}

function bareSaid(
  pool: Pool,
  turnover: Turnover,
  {
    sure,
    least,
    bare,
    seen,
  }: { readonly sure: Sure; readonly least: string; readonly bare: Bare; readonly seen: PoolsSeen },
): Said {
  return {
    rule: 'pool_churn',
    severity: 'info',
    sure,
    message: `${subjectText(pool)} ${least}${perSecondText(turnover.perSecond)} new connections per second to ${endText(pool)} that carried no data: health checks, port probes, or connects that were abandoned`,
    evidence: [
      createdFact(pool, turnover, least, seen),
      fact(
        'without_data',
        bare.count,
        'connections',
        `${count(bare.count)} of ${count(bare.of)} that ended had sent and received no byte`,
      ),
      ...leftEvidence(pool, turnover.joined),
    ],
    advice: `a balancer or monitor that asks so often is right where it is meant to; else look who connects to ${endText(pool)}, and whether it gives up before it sends`,
  };
}

const createdFact = (
  pool: Pool,
  { created, closed, ms }: Turnover,
  least: string,
  seen: PoolsSeen,
): Evidence =>
  fact(
    'created',
    created,
    'connections',
    `${least}${count(created)} made and ${count(closed)} closed in ${duration(ms)}; at most ${count(pool.past.highest)} open at a look${least === '' ? '' : apartText(seen)}`,
  );

/** Far more than a login or a handshake, and nearly the same for most of them. */
const LIMIT = { median: MANY_EXCHANGES, nearShare: 0.7, of: 5 };

/** Connections are used again and again, and yet replaced all the time, each after about as many requests: a limit of one of the sides. */
export const requestLimit: PoolRule = (pool, context) => {
  const turnover = turnoverOf(pool, context);
  if (turnover === undefined || !turnover.areReused) return undefined;
  const [most] = turnover.joined.flatMap(({ past }) => past.exchanges ?? []).sort((a, b) => b.of - a.of);
  if (most === undefined || most.of < LIMIT.of || most.median < LIMIT.median) return undefined;
  if (most.near < most.of * LIMIT.nearShare) return undefined;
  const number = count(most.median);
  return {
    rule: 'request_limit',
    severity: 'info',
    sure: 'suspected',
    message: `${usersText(pool)} to ${endText(pool)} are replaced after about ${number} requests and answers each: ${perSecondText(turnover.perSecond)} new ones per second`,
    evidence: [
      fact(
        'exchanges',
        most.median,
        'segments',
        `${count(most.near)} of the last ${count(most.of)} that ended had carried ${number} segments with data each way, give or take a tenth`,
      ),
      ...evidenceOf(pool, turnover.joined),
    ],
    advice:
      'a limit of requests per connection looks like this (nginx keepalive_requests, 1000 by default; Tomcat maxKeepAliveRequests, Apache MaxKeepAliveRequests, 100; or one of the client): raise it where new connections are dear, as with TLS; else nothing is wrong',
  };
};

const usersText = ({ owner }: Pool): string =>
  typeof owner === 'object' ? `the connections of ${ownerText([owner])}` : 'connections';

interface Turnover {
  /** The pool, and those that are told with it. */
  readonly joined: readonly Pool[];
  readonly created: number;
  readonly closed: number;
  readonly ms: number;
  readonly perSecond: number;
  readonly areReused: boolean;
}

/** Many that come and go; `undefined` where there are few, or where another pool tells of them. */
function turnoverOf(pool: Pool, { siblings }: PoolContext): Turnover | undefined {
  if (pool.direction !== 'outbound') return undefined;
  const joined = joinedTo(pool, siblings);
  if (joined === undefined) return undefined;
  const created = sumOf(joined, ({ past }) => past.created);
  const closed = sumOf(joined, ({ past }) => past.closed);
  const ms = Math.max(...joined.map(({ past }) => past.watchedMs));
  const perSecond = ms > 0 ? (created * SECOND) / ms : 0;
  if (created < CHURN.created || perSecond < CHURN.perSecond) return undefined;
  if (closed < created * CHURN.closedShare || created < 2 * Math.max(1, pool.past.highest)) return undefined;
  const reused = sumOf(joined, ({ past }) => past.reused);
  const areReused = reused > sumOf(joined, known) * CHURN.reusedShare;
  return { joined, created, closed, ms, perSecond, areReused };
}

/** Short connections, or those that end at a limit of requests. */
export const comesAndGoes: (...args: Parameters<PoolRule>) => boolean = (pool, context) =>
  turnoverOf(pool, context) !== undefined;

/** One finding for all: the process has it, or of those without one the pool that made most. */
function joinedTo(pool: Pool, siblings: readonly Pool[]): readonly Pool[] | undefined {
  const all = [pool, ...siblings];
  const nameless = all.filter(({ owner }) => typeof owner !== 'object');
  const [only, another] = all.filter(({ owner }) => typeof owner === 'object');
  const maker = only !== undefined && another === undefined && isMaker(only) ? only : undefined;
  if (typeof pool.owner === 'object') return pool === maker ? [pool, ...nameless] : [pool];
  if (maker !== undefined) return undefined;
  const most = nameless.reduce((one, other) => (other.past.created > one.past.created ? other : one));
  const first = nameless.filter(({ past }) => past.created === most.past.created).sort(byOwner)[0];
  return pool === first ? [pool, ...nameless.filter((one) => one !== pool)] : undefined;
}

/** An order that does not depend on whose turn it is. */
const byOwner = (a: Pool, b: Pool): number => Number(a.owner > b.owner) - Number(a.owner < b.owner);

const sumOf = (pools: readonly Pool[], of: (one: Pool) => number): number =>
  pools.reduce((sum, one) => sum + of(one), 0);

/** Of whose use something is known. */
const known = ({ past: { seen, traces } }: Pool): number => Math.max(0, seen - traces);

/** It makes connections and uses few of them again, or it was seen to replace them all the time. */
const isMaker = (pool: Pool): boolean => {
  const { created, closed, reused, highest } = pool.past;
  if (created > 0 && reused <= known(pool) * CHURN.reusedShare) return true;
  return created >= Math.max(CHURN.created, 2 * highest) && closed >= created * CHURN.closedShare;
};

/** What belongs to no process in a look may well be of one that lives. */
function subjectText(pool: Pool): string {
  if (typeof pool.owner === 'object') return `${processText(pool)} made`;
  return pool.owner === 'none'
    ? 'somebody (the connections had closed before a look could tell whose they were) made'
    : 'processes that are not known made';
}

function* evidenceOf(pool: Pool, joined: readonly Pool[]): Generator<Evidence> {
  const ofKnown = sumOf(joined, known);
  const reused = sumOf(joined, ({ past }) => past.reused);
  if (ofKnown > 0)
    yield fact(
      'reused',
      reused,
      'connections',
      `${count(reused)} of ${count(ofKnown)} were used again: data moved at a later look, or ${MANY_EXCHANGES} segments and more went each way`,
    );
  yield* leftEvidence(pool, joined);
}

function* leftEvidence(pool: Pool, joined: readonly Pool[]): Generator<Evidence> {
  const total = (of: (one: Pool) => number) => sumOf(joined, of);
  const nameless = total((one) => (one === pool ? 0 : one.past.created));
  if (nameless > 0 && typeof pool.owner === 'object')
    yield fact(
      'created_nameless',
      nameless,
      'connections',
      `${count(nameless)} had closed before a look could tell whose they were; only ${processText(pool)} was seen to connect there`,
    );
  const timeWait = total((one) => one.timeWait);
  if (timeWait > 0)
    yield fact(
      'time_wait',
      timeWait,
      'ports',
      `${count(timeWait)} ports in TIME-WAIT: closed from here first`,
    );
}
