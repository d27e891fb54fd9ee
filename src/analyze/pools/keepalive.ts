import type { Evidence } from '../../model/findings.js';
import { type IdleClose, LONG_IDLE_MS, type LostRequests } from '../../model/keepalive.js';
import type { Pool } from '../../model/pools.js';
import type { TrafficShapes } from '../../model/traffic.js';
import { count, counted, duration } from '../words.js';
import type { PoolRule } from './context.js';
import { endText, fact, processText, type Said, shapesText } from './words.js';

const SECOND = 1000;

/**
 * One side closes idle connections while the other may just send a request on one (KERNEL.md 10). A warning where requests met that FIN and were reset;
 * else only the timeout that was measured. Whoever sends the requests may close without such a race: that says nothing.
 */
export const keepaliveRace: PoolRule = (pool) => {
  const { timeout, lost, resets = 0 } = pool.idleCloses;
  const outbound = pool.direction === 'outbound';
  if (timeout?.reset === true) return outbound ? resetSaid(pool, timeout, lost) : undefined;
  const closer = outbound ? 'peer' : 'self';
  const raced = lost?.by === closer ? lost : undefined;
  const measured = timeout?.by === closer ? timeout : undefined;
  if (raced !== undefined) return lostSaid(pool, raced, measured);
  if (measured !== undefined)
    return outbound || resets === 0 ? measuredSaid(pool, measured) : laterSaid(pool, measured, resets);
  // Whoever is asked and closes first has TIME-WAIT, and is known by it.
  if (outbound && timeout !== undefined && timeout.by === undefined) return endedSaid(pool, timeout);
  return !outbound && resets > 0 ? resetsSaid(pool, resets) : undefined;
};

function lostSaid(pool: Pool, lost: LostRequests, timeout: IdleClose | undefined): Said {
  const outbound = pool.direction === 'outbound';
  const requests = counted(lost.count, 'request');
  return {
    rule: 'keepalive_race',
    severity: 'warning',
    sure: outbound ? 'certain' : 'likely',
    message: `${closesText(pool, timeout)}; ${requests} ${outbound ? 'met' : 'crossed'} its FIN and ${lost.count === 1 ? 'was' : 'were'} reset`,
    evidence: [
      ...timeoutEvidence(timeout),
      fact(
        'lost_requests',
        lost.count,
        'requests',
        outbound
          ? `${requests} of ${processText(pool)} without an acknowledgement, on ${lost.count === 1 ? 'a connection' : 'connections'} that the peer closed`
          : `${counted(lost.count, 'connection')} closed from here ended by a reset: data came that the other side had sent before it had the FIN`,
      ),
      ...(outbound ? alertEvidence(pool) : laterEvidence(pool)),
      ...(lost.afterMs === undefined
        ? []
        : [
            fact(
              'lost_after',
              lost.afterMs / SECOND,
              'seconds',
              `half of them were sent after ${duration(lost.afterMs)} or less without data`,
            ),
          ]),
    ],
    advice: adviceFor(pool, timeout),
  };
}

/** Idle connections that end by a reset alone: a request at that moment is lost, and nothing told before that it would be. */
function resetSaid(pool: Pool, timeout: IdleClose, lost: LostRequests | undefined): Said {
  const ended = `connections of ${processText(pool)} to ${endText(pool)} ended by a reset after ${duration(timeout.ms)} without data`;
  const requests = lost === undefined ? '' : counted(lost.count, 'request');
  return {
    rule: 'keepalive_race',
    severity: lost === undefined ? 'info' : 'warning',
    sure: 'likely',
    message:
      lost === undefined
        ? `${ended}; which side sent it the sockets do not say, and a request that was written just then fails without a trace here`
        : `${ended}; ${requests} sent after as long ${lost.count === 1 ? 'was' : 'were'} reset`,
    evidence: [
      ...timeoutEvidence(timeout),
      ...(lost === undefined
        ? []
        : [
            fact(
              'lost_requests',
              lost.count,
              'requests',
              `${requests} of ${processText(pool)} without an acknowledgement, sent after about ${duration(lost.afterMs ?? timeout.ms)} without data, on ${lost.count === 1 ? 'a connection' : 'connections'} that ended by a reset`,
            ),
          ]),
    ],
    advice: `${adviceFor(pool, timeout)}; a database ends idle sessions so (MariaDB and MySQL wait_timeout), and so do balancers and firewalls between`,
  };
}

const measuredSaid = (pool: Pool, timeout: IdleClose): Said => ({
  rule: 'keepalive_race',
  severity: 'info',
  sure: 'likely',
  message: `${closesText(pool, timeout)}; no request was seen to be lost to it`,
  evidence: [...timeoutEvidence(timeout), ...alertEvidence(pool)],
  advice: adviceFor(pool, timeout),
});

const LATER = "a request, or the client's close_notify of TLS";

/** The socket is gone when such data come: what they were, nobody here can tell. */
const laterSaid = (pool: Pool, timeout: IdleClose, resets: number): Said => ({
  rule: 'keepalive_race',
  severity: 'info',
  sure: 'suspected',
  message: `${closesText(pool, timeout)}; ${count(resets)} of them ended by a reset: data came after its FIN (${LATER}), or the client aborted`,
  evidence: [...timeoutEvidence(timeout), ...laterEvidence(pool)],
  advice: `${adviceFor(pool, timeout)}; whether requests are lost, the side that sends them knows (sockwatch there, its log, or sockwatch capture)`,
});

/** Nothing was left of them here, and no FIN was seen. */
const endedSaid = (pool: Pool, timeout: IdleClose): Said => ({
  rule: 'keepalive_race',
  severity: 'info',
  sure: 'suspected',
  message: `connections of ${processText(pool)} to ${endText(pool)} ended after ${duration(timeout.ms)} without data; which side closed them first was not seen`,
  evidence: timeoutEvidence(timeout),
  advice: `if it was ${endText(pool)}: ${adviceFor(pool, timeout)}`,
});

/** Without a timeout it is not known what was lost, if anything was. */
const resetsSaid = (pool: Pool, resets: number): Said => ({
  rule: 'keepalive_race',
  severity: 'info',
  sure: 'suspected',
  message: `${counted(resets, 'connection')} that ${processText(pool)} on ${endText(pool)} closed ended by a reset: data came after the FIN (${LATER}), or the client aborted`,
  evidence: laterEvidence(pool),
  advice: `look at the packets of one such end (sockwatch capture): only a request after the FIN of ${processText(pool)} is lost`,
});

/** `10.0.0.9:8080 closes connections that were idle for 15.0 s` */
function closesText(pool: Pool, timeout: IdleClose | undefined): string {
  const who = pool.direction === 'outbound' ? endText(pool) : `${processText(pool)} on ${endText(pool)}`;
  return timeout === undefined
    ? `${who} closes idle connections`
    : `${who} closes connections that were idle for ${duration(timeout.ms)}`;
}

function timeoutEvidence(timeout: IdleClose | undefined) {
  if (timeout === undefined) return [];
  const { ms, withinMs, closes, of } = timeout;
  return [
    fact(
      'idle_close',
      ms / SECOND,
      'seconds',
      `${count(closes)} of ${counted(of, 'idle connection')} ended after ${duration(ms)} without data (within ${duration(Math.max(withinMs, 1))})`,
    ),
  ];
}

function laterEvidence({ idleCloses: { resets = 0 } }: Pool): Evidence[] {
  if (resets === 0) return [];
  return [
    fact(
      'resets_after_close',
      resets,
      'connections',
      `${counted(resets, 'idle connection')} closed from here ended by a reset within seconds, without TIME-WAIT: what came after the FIN, the sockets do not say`,
    ),
  ];
}

function alertEvidence({ idleCloses: { alerts = 0 } }: Pool): Evidence[] {
  if (alerts === 0) return [];
  return [
    fact(
      'alerts_after_fin',
      alerts,
      'connections',
      `on ${counted(alerts, 'connection')} the FIN was answered with as many bytes as a close_notify of TLS has, and these with a reset: no request, by their length`,
    ),
  ];
}

function adviceFor(pool: Pool, timeout: IdleClose | undefined): string {
  const seconds = timeout === undefined ? 'that' : duration(timeout.ms);
  return pool.direction === 'outbound'
    ? `let ${processText(pool)} close idle connections first: a maximum idle time clearly below ${seconds} (nginx upstream keepalive_timeout, a pool's idle timeout), or a longer one at ${endText(pool)}; and let it repeat requests that may be repeated`
    : `keep idle connections longer than the clients and balancers in front of ${processText(pool)} do (AWS ALB keeps them for 60 s): the side that sends the requests should close first`;
}

/** Enough that it is no single forgotten connection. */
const BARE = { least: 2 };

/** Idle for long without TCP keep-alive: a peer that vanished, or a middle box that forgot it, is noticed only at the next request. */
export const noKeepalive: PoolRule = (pool) => {
  const { bareLongIdle, kept, longIdleTraffic } = pool.probes;
  if (bareLongIdle < BARE.least) return undefined;
  return {
    rule: 'no_keepalive',
    severity: 'info',
    sure: 'certain',
    message: `${counted(bareLongIdle, 'connection')} of ${processText(pool)} ${pool.direction === 'outbound' ? 'to' : 'on'} ${endText(pool)} ${bareLongIdle === 1 ? 'has' : 'have'} been idle for ${duration(LONG_IDLE_MS)} or longer without TCP keep-alive`,
    evidence: [
      fact(
        'idle_without_keepalive',
        bareLongIdle,
        'connections',
        `${count(bareLongIdle)} without a keep-alive timer, ${count(kept)} of ${count(pool.open)} with one`,
      ),
      ...trafficEvidence(longIdleTraffic),
    ],
    advice: `set SO_KEEPALIVE with TCP_KEEPIDLE below the idle timeouts on the way (AWS NLB forgets after 350 s, ALB closes after 60 s; NAT often after 5 minutes), or let the pool test or close idle connections: else a peer that vanished is never noticed`,
  };
};

/** Which of the idle ones are streams and WebSockets, where nobody will send a request that shows the loss. */
function trafficEvidence(traffic: TrafficShapes | undefined): Evidence[] {
  if (traffic === undefined) return [];
  const lasting = traffic.push + traffic.two_way;
  const note =
    lasting === 0
      ? ''
      : '; on a stream or a WebSocket no request may ever show the loss: a message every minute keeps it known on the way';
  return [
    fact(
      'idle_traffic',
      lasting,
      'connections',
      `by their data during the watch (a guess): ${shapesText(traffic)}${note}`,
    ),
  ];
}

/** A peer that acknowledges nothing any more. */
export const keepaliveUnanswered: PoolRule = (pool) => {
  const { unanswered } = pool.probes;
  if (unanswered === 0) return undefined;
  return {
    rule: 'keepalive_unanswered',
    severity: 'warning',
    sure: 'certain',
    message: `the peers of ${counted(unanswered, 'connection')} of ${processText(pool)} ${pool.direction === 'outbound' ? 'to' : 'on'} ${endText(pool)} do not answer TCP keep-alive`,
    evidence: [
      fact(
        'unanswered_probes',
        unanswered,
        'connections',
        `${count(unanswered)} of ${count(pool.probes.kept)} with keep-alive have probes without an answer`,
      ),
    ],
    advice:
      'the host, the network or a middle box between has forgotten these connections: look whether they all lead to one address, and whether new ones come through',
  };
};
