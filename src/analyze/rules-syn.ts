import type { Sysctls } from '../model/observation.js';
import { growSynQueue, raiseBacklog } from './advice.js';
import { dropEvidence, evidence, queueEvidence } from './evidence.js';
import type { Draft, Facts } from './facts.js';
import { count, counted, duration } from './words.js';

/** Full when more requests are stored than the backlog (KERNEL.md 2). With SYN cookies what is beyond is still answered. */
export function judgeSynQueue(facts: Facts): Draft | undefined {
  const queue = synQueueOf(facts);
  if (queue === undefined || queue.length <= queue.limit) return undefined;
  const { length, limit, bound, retransmitted } = queue;
  return {
    severity: facts.sysctls?.tcpSyncookies === 0 ? 'critical' : 'warning',
    message: `SYN queue full: ${counted(length, 'request')} of ${count(limit)}, ${afterwards(facts.sysctls)}`,
    evidence: [
      evidence('syn_queue.length', length, 'requests', `${counted(length, 'socket')} in SYN-RECV`),
      evidence('syn_queue.limit', limit, 'requests', `limit ${count(limit)}: ${BOUNDS[bound]}`),
      ...retransmitEvidence(retransmitted),
      ...dropEvidence(facts.window),
    ],
    advice: growSynQueue(facts, bound),
  };
}

const BOUNDS = {
  backlog: 'the backlog of listen()',
  tcpMaxSynBacklog: 'three quarters of net.ipv4.tcp_max_syn_backlog, which holds without SYN cookies',
} as const;

/** The rows of a group are of all members: some member is full where they are more than all can hold. */
function synQueueOf({ listener, sysctls }: Facts) {
  const { synQueue, group, acceptQueue } = listener;
  const { backlog } = acceptQueue;
  const queue = synQueue ?? group?.synQueue;
  if (queue === undefined || backlog === undefined) return undefined;
  const other = cookielessLimit(sysctls);
  const bound = other < backlog ? 'tcpMaxSynBacklog' : 'backlog';
  return { ...queue, limit: Math.min(backlog, other) * (group?.members ?? 1), bound } as const;
}

/** Without SYN cookies the last quarter of tcp_max_syn_backlog is kept for peers known before (KERNEL.md 2). */
function cookielessLimit(sysctls: Sysctls | undefined): number {
  const { tcpSyncookies, tcpMaxSynBacklog: most } = sysctls ?? {};
  return tcpSyncookies === 0 && most !== undefined ? most - (most >> 2) : Number.POSITIVE_INFINITY;
}

function afterwards(sysctls: Sysctls | undefined): string {
  if (sysctls?.tcpSyncookies === undefined) return 'whether SYN cookies are sent is not known';
  return sysctls.tcpSyncookies === 0
    ? 'and without SYN cookies further SYNs are dropped'
    : 'further SYNs are answered with SYN cookies';
}

function retransmitEvidence(retransmitted: number) {
  if (retransmitted === 0) return [];
  const text = `${counted(retransmitted, 'SYN-ACK')} sent again`;
  return [evidence('syn_queue.retransmitted', retransmitted, 'requests', text)];
}

/**
 * Segments that this listener dropped and that no overflow of its own explains (KERNEL.md 4): segments, not connections, and some
 * of these drops are harmless. A warning where the namespace counts lost ones in the same window.
 */
export function judgeDropped(facts: Facts): Draft | undefined {
  const { window, listener } = facts;
  const dropped = window?.droppedDelta ?? 0;
  if (window === undefined || dropped === 0 || dropped <= 2 * (window.overflowsDelta ?? 0)) return undefined;
  const reason = dropReason(facts);
  return {
    severity: reason.severity,
    verdict: reason.severity === 'info' ? 'ok' : 'burst',
    message: `this listener dropped ${counted(dropped, 'segment')} in ${duration(window.windowMs)}: ${reason.text}`,
    evidence: [...dropEvidence(window), ...reason.evidence, ...queueEvidence(listener)],
    ...(reason.severity === 'warning' && { advice: `if its queues are too short, ${raiseBacklog(facts)}` }),
  };
}

function dropReason({ counters, window }: Facts) {
  const overflows = counters?.overflows;
  const listenDrops = counters?.listenDrops;
  if (overflows === undefined || listenDrops === undefined) {
    return { severity: 'warning', text: 'why is not known without the counters', evidence: [] } as const;
  }
  if (overflows > 0 && window?.overflowsDelta === undefined) {
    const text = `ListenOverflows of the namespace rose by ${count(overflows)}, which may not all be of this listener`;
    const facts = [evidence('ListenOverflows', overflows, 'segments', text)];
    return {
      severity: 'warning',
      text: 'some may be overflows of its accept queue',
      evidence: facts,
    } as const;
  }
  const others = listenDrops - overflows;
  if (others > 0) {
    const text = `the namespace counts ${counted(others, 'drop')} that ${others === 1 ? 'is' : 'are'} no overflow`;
    const facts = [evidence('ListenDrops', listenDrops, 'segments', text)];
    return {
      severity: 'warning',
      text: 'no overflow, but a full SYN queue without cookies, an ICMP error or a lack of memory',
      evidence: facts,
    } as const;
  }
  return {
    severity: 'info',
    text: 'none that the namespace counts as lost (a reset during the handshake, deferred accept, duplicates)',
    evidence: [],
  } as const;
}
