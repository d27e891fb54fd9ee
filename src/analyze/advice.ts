import type { Facts } from './facts.js';
import { count, ownerText } from './words.js';

/*
 * One line each, naming the owner and the real knob. The backlog is the smaller of listen()'s argument and the namespace's
 * somaxconn at the time of listen(): raising somaxconn alone, or without a new listen(), changes nothing (KERNEL.md 1).
 */

/** How to make the accept queue longer: which of the two bounds holds it now. */
export function raiseBacklog({ listener, sysctls }: Facts): string {
  const { backlog } = listener.acceptQueue;
  const somaxconn = sysctls?.somaxconn;
  const owner = ownerText(listener.owners);
  const where = listener.netns === undefined ? '' : ' of its network namespace';
  if (backlog === undefined || somaxconn === undefined) {
    return `raise the backlog argument of listen() in ${owner}, and net.core.somaxconn${where} where that is lower, then let it listen() again`;
  }
  if (backlog === somaxconn) {
    return `the backlog equals net.core.somaxconn${where} (${count(somaxconn)}): raise both it and the backlog argument of listen() in ${owner}, then let it listen() again`;
  }
  if (backlog > somaxconn) {
    return `net.core.somaxconn${where} was lowered to ${count(somaxconn)}: raise it, and the backlog argument of listen() in ${owner} (now ${count(backlog)}), then let it listen() again`;
  }
  return `raise the backlog argument of listen() in ${owner} (now ${count(backlog)}; net.core.somaxconn${where} allows ${count(somaxconn)}), then let it listen() again`;
}

export const acceptFaster = ({ listener }: Facts): string =>
  `let ${ownerText(listener.owners)} accept faster: more worker threads or processes, no blocking calls in its event loop`;

export const longerOrFaster = (facts: Facts): string =>
  `${acceptFaster(facts)}; for short bursts, ${raiseBacklog(facts)}`;

export const wakeAcceptor = ({ listener }: Facts): string =>
  `see what holds ${ownerText(listener.owners)}: a blocked event loop, worker threads that are all busy, a connection limit of its own, a stopped process; a longer queue only makes clients wait longer`;

export const raiseFdLimit = (owner: string): string =>
  `accept() fails in ${owner} while it is at its limit of open files: close what it leaks, or raise the limit (LimitNOFILE= of its service, ulimit -n) and restart it`;

export function growSynQueue(facts: Facts, bound: 'backlog' | 'tcpMaxSynBacklog'): string {
  const off = facts.sysctls?.tcpSyncookies === 0;
  const cookies = off ? 'set net.ipv4.tcp_syncookies to 1 against floods' : 'see who sends so many SYNs';
  // With SYN cookies the limit is the backlog, not tcp_max_syn_backlog (KERNEL.md 2).
  const longer =
    bound === 'backlog'
      ? raiseBacklog(facts)
      : `raise net.ipv4.tcp_max_syn_backlog (${count(facts.sysctls?.tcpMaxSynBacklog ?? 0)})`;
  return `${cookies}; if they are clients, ${longer}`;
}

export const findLimit =
  '/proc/net has no limits: use --source auto (netlink or ss), and load tcp_diag and unix_diag (modprobe) where that falls back to it; ss shows them from iproute2 4.7 on';
