import type { Gap } from '../../model/observation.js';
import type { SocketTable } from '../../model/table.js';
import { hasPeerWindow } from '../peer-window.js';
import type { Evidence, Facts } from './facts.js';
import { protocolIndex, stateIndex } from './words.js';

const TCP = protocolIndex('tcp');
const MPTCP = protocolIndex('mptcp');
const UNIX = protocolIndex('unix');
const UDP = protocolIndex('udp');
const LISTEN = stateIndex('listen');
const UNCONNECTED = stateIndex('unconnected');
const ESTABLISHED = stateIndex('established');

/** What only the whole output tells: run once, when all lines have been read. */
export function finish(facts: Facts): void {
  nameProtocol(facts);
  settleStarHosts(facts);
  markUnknownLimits(facts, (protocol) => protocol === TCP || protocol === MPTCP);
  markUnknownLimits(facts, (protocol) => protocol === UNIX);
  fillZeroAges(facts);
  fillZeroWindows(facts);
  fillRootUid(facts);
  for (const gap of leftOutGaps(facts)) facts.gaps.add(gap);
}

/**
 * `ss -ua` prints no Netid and calls its sockets UNCONN and ESTAB. TCP never is UNCONN there without tcp_info or a
 * timer (only `ss -E` shows it, with them), so such an output is taken for UDP, or for raw where a port is `icmp`.
 */
function nameProtocol({ table, evidence, options }: Facts): void {
  if (evidence.netid || options.protocol !== undefined) return;
  let unconnected = false;
  for (let row = 0; row < table.length; row++) {
    const state = table.state[row];
    if (state !== UNCONNECTED && state !== ESTABLISHED) return;
    if (table.get('rtoMs', row) !== undefined || table.get('timerKind', row) !== undefined) return;
    if (table.protocol[row] === MPTCP || table.hasFlag(row, 'mptcpSubflow')) return;
    unconnected ||= state === UNCONNECTED;
  }
  if (unconnected) table.protocol.fill(evidence.rawPortNames ? protocolIndex('raw') : UDP, 0, table.length);
}

/**
 * `*:22` is the IPv6 wildcard that takes IPv4 too since iproute2 4.14, and plain 0.0.0.0 before. Old: any IPv6 address
 * without brackets, or owners without `pid=`, anywhere in the output. New: brackets, a 0.0.0.0, a Process column, a
 * cgroup. With none of these an output with a header is old, and one without (-H) is new, for the old had no -H.
 */
function settleStarHosts({ table, evidence, starHosts }: Facts): void {
  const isModern = printsDualStackAsStar(evidence);
  for (const row of starHosts) {
    if (table.family[row] === 6) continue; // v6only:0 has said so
    table.family[row] = isModern ? 6 : 4;
    if (isModern) table.setFlag(row, 'localDualStack');
  }
  if (!isModern) return;
  for (let row = 0; row < table.length; row++)
    if (isIpv6Wildcard(table.family[row], table.localAddress, row) && !table.hasFlag(row, 'localDualStack'))
      table.setFlag(row, 'v6only'); // a new ss prints [::] for nothing else
}

function printsDualStackAsStar(evidence: Evidence): boolean {
  if (evidence.bareIpv6 || evidence.oldUsers) return false;
  const { bracketedIpv6, zeroHost, processHeader, modernTags, header } = evidence;
  return bracketedIpv6 || zeroHost || processHeader || modernTags || !header;
}

const isIpv6Wildcard = (family: number | undefined, words: Uint32Array, row: number): boolean =>
  family === 6 &&
  words[row * 4] === 0 &&
  words[row * 4 + 1] === 0 &&
  words[row * 4 + 2] === 0 &&
  words[row * 4 + 3] === 0;

/**
 * An ss that fell back to /proc/net prints every listener with Send-Q 0. So where all of them have 0, those without
 * a cookie and without skmem have an unknown limit, not a backlog of 0 (KERNEL.md 8, OPS.md 4).
 */
function markUnknownLimits({ table }: Facts, covers: (protocol: number) => boolean): void {
  const suspects: number[] = [];
  for (let row = 0; row < table.length; row++) {
    if (
      table.state[row] !== LISTEN ||
      !covers(table.protocol[row] as number) ||
      !table.hasFlag(row, 'queues')
    )
      continue;
    if (table.sendQueue[row] !== 0) return;
    if (!table.hasFlag(row, 'cookie') && table.get('memReceive', row) === undefined) suspects.push(row);
  }
  for (const row of suspects) table.setFlag(row, 'limitUnknown');
}

const AGES = ['lastSentMs', 'lastReceivedMs', 'lastAckMs'] as const;
/** Tags younger than `lastsnd` itself. */
const YOUNGER = ['minRttMs', 'pathMtu', 'segmentsIn', 'segmentsOut', 'pacingRateBps'] as const;

/**
 * ss leaves out tags whose value is 0, so with tcp_info on the row a missing `lastsnd` means 0 ms (KERNEL.md 10); not so
 * with an ss too old to know the tag: then no row has one.
 */
function fillZeroAges({ table }: Facts): void {
  const knowsAges = [...AGES, ...YOUNGER].some((name) => table.column(name) !== undefined);
  const hasTcpInfo = tcpInfoFinder(table);
  if (!knowsAges || hasTcpInfo === undefined) return;
  for (const name of AGES) {
    const ages = table.column(name);
    for (let row = 0; row < table.length; row++)
      if (hasTcpInfo(row) && table.state[row] !== LISTEN && !isSet(ages, row)) table.set(name, row, 0);
  }
}

/** The same for the window of the peer, which ss has printed since iproute2 5.5, and the kernel told since Linux 5.4. */
function fillZeroWindows({ table, evidence }: Facts): void {
  const windows = table.column('sendWindow');
  const hasTcpInfo = tcpInfoFinder(table);
  if ((windows === undefined && !evidence.windows) || hasTcpInfo === undefined) return;
  for (let row = 0; row < table.length; row++)
    if (hasPeerWindow[table.state[row] as number] === 1 && hasTcpInfo(row) && !isSet(windows, row))
      table.set('sendWindow', row, 0);
}

/** `undefined`: no row has tcp_info. */
function tcpInfoFinder(table: SocketTable): ((row: number) => boolean) | undefined {
  const rto = table.column('rtoMs');
  const mss = table.column('mss');
  if (rto === undefined && mss === undefined) return undefined;
  // ss leaves out an rto of exactly 3 s, with which old kernels begin; the mss is there.
  return (row) => isSet(rto, row) || isSet(mss, row);
}

const isSet = (column: Float64Array | undefined, row: number): boolean =>
  column !== undefined && !Number.isNaN(column[row] as number);

/** With -e a socket of root has an `ino:` and no `uid:`; one without an inode belongs to nobody. */
function fillRootUid({ table }: Facts): void {
  const inodes = table.column('inode');
  const uids = table.column('uid');
  if (inodes === undefined) return;
  for (let row = 0; row < table.length; row++)
    if ((inodes[row] as number) > 0 && table.protocol[row] !== UNIX && !isSet(uids, row))
      table.set('uid', row, 0);
}

function leftOutGaps({ leftOut }: Facts): Gap[] {
  return [...leftOut].map(([kind, { rows, line }]) => ({
    what: `${kind} sockets`,
    why: `left out ${rows} of them: sockwatch does not read this kind`,
    line,
  }));
}
