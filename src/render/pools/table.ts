import {
  type HikariMatch,
  isLeftOver,
  type NewShare,
  type Pool,
  type PoolFinding,
  type PoolsReport,
  type RemoteSum,
  type Spread,
} from '../../model/pools.js';
import { type Column, headLine, layOut, rowLine, type TableStyle, wrapWords } from '../columns.js';
import { namespaceName } from '../labels.js';
import type { Names } from '../names.js';
import { markOf, paint, type Role, roleOf } from '../style.js';
import { cleanText, formatCount, formatDuration } from '../text.js';
import { hikariName, learnNames } from './json.js';

const INDENT = '    ';

interface Row {
  readonly pool: Pool;
  readonly findings: readonly PoolFinding[];
  readonly hikari: HikariMatch | undefined;
  readonly share: NewShare | undefined;
}

/** The pools for people, each with its findings below it; then remotes that several processes share, and what the numbers mean. */
export function* poolsTable(report: PoolsReport, names: Names, style: TableStyle): Generator<string> {
  for (const line of tableLines(report, names, style)) yield `${line}\n`;
}

function* tableLines(report: PoolsReport, names: Names, style: TableStyle): Generator<string> {
  learnNames(report, names);
  const all = report.pools.map((pool, index) => ({
    pool,
    findings: report.findings.filter((finding) => finding.pool === index),
    hikari: report.hikari.find((match) => match.pool === index),
    share: report.shares[index],
  }));
  // JSON has them.
  const rows = all.filter(({ pool, findings }) => !isLeftOver(pool, findings));
  if (rows.length === 0) yield 'no connections';
  else {
    const layout = layOut(columnsWith(names, rows), rows, style);
    yield headLine(layout);
    for (const row of rows) {
      yield rowLine(layout, row);
      yield* belowLines(row, names, style);
    }
  }
  for (const finding of report.findings)
    if (finding.pool === undefined) yield* findingLines(finding, names, style, '');
  for (const match of report.hikari)
    if (match.pool === undefined) yield* hikariLines(match, names, style, '');
  yield* remoteLines(report.remotes, names, style);
  yield '';
  for (const note of notes(report))
    for (const line of wrapWords(note, '', style.width)) yield paint('dim', line, style.color);
}

const severityOf = ({ findings }: Row) => findings[0]?.severity;
const role = (row: Row): Role => roleOf(severityOf(row));

type Numbers = (row: Row) => number | undefined;
const number = (title: string, of: Numbers, giveUp?: number): Column<Row> => ({
  title,
  align: 'right',
  text: (row) => countText(of(row)),
  ...(giveUp !== undefined && { giveUp }),
});

const countText = (value: number | undefined) => (value === undefined ? '?' : formatCount(value));
const rateText = (value: number | undefined) => {
  if (value === undefined) return '-';
  return value === 0 || value >= 9.95 ? formatCount(value) : value.toFixed(1);
};

const spread = (title: string, of: (row: Row) => string, giveUp: number): Column<Row> => ({
  title,
  align: 'right',
  text: of,
  giveUp,
});

const columnsWith = (names: Names, rows: readonly Row[]): readonly Column<Row>[] => [
  { title: 'S', text: (row) => markOf(severityOf(row)), role },
  { title: 'PROCESS', text: ({ pool }) => processCell(pool, names), min: 10 },
  { title: 'DIR', text: ({ pool }) => (pool.direction === 'outbound' ? 'out' : 'in'), giveUp: 1 },
  { title: 'REMOTE', text: ({ pool }) => endCell(pool, names), min: 15 },
  { title: 'SERVICE', text: ({ pool }) => pool.service ?? '-', giveUp: 6 },
  number('OPEN', ({ pool }) => pool.open),
  number('BUSY', ({ pool }) => pool.busy),
  number('IDLE', ({ pool }) => pool.idle),
  ...(rows.some(({ pool }) => (pool.unsure ?? 0) > 0) ? [number('UNSURE', ({ pool }) => pool.unsure)] : []),
  ...(rows.some(({ pool }) => pool.waiting > 0) ? [number('WAITING', ({ pool }) => pool.waiting)] : []),
  number('CONNECTING', ({ pool }) => pool.connecting, 7),
  ...(rows.some(({ pool }) => pool.past.connectFailed > 0)
    ? [number('FAILED', ({ pool }) => pool.past.connectFailed)]
    : []),
  number('HALF-CLOSED', ({ pool }) => pool.closeWait + pool.finWait + pool.lastAck, 8),
  number('HIGHEST', ({ pool }) => pool.past.highest, 4),
  spread('NEW/S', ({ pool }) => rateText(pool.createdPerSecond), 2),
  ...(rows.some(({ share }) => share !== undefined) ? [spread('OF NEW', shareCell, 3)] : []),
  spread('CLOSED/S', ({ pool }) => rateText(pool.closedPerSecond), 3),
  spread('AGE P50', ({ pool }) => ageText(pool, 'p50'), 5),
  spread('P95', ({ pool }) => ageText(pool, 'p95'), 10),
  spread('IDLE P50', ({ pool }) => spreadText(pool.quiet, 'p50'), 5),
  spread('P95', ({ pool }) => spreadText(pool.quiet, 'p95'), 10),
  ...(rows.some(({ pool }) => hasStreams(pool)) ? [spread('TRAFFIC', trafficCell, 3)] : []),
  ...(rows.some(({ pool }) => pool.idleCloses.timeout !== undefined)
    ? [spread('IDLE CLOSE', idleCloseCell, 4)]
    : []),
  spread('RTT', ({ pool }) => spreadText(pool.rtt, 'p50'), 9),
];

/** Below this the first and the last part of the watch are the same. */
const SAME_SHARE = 0.1;

/** `25%`, or where it changed during the watch, as in a deploy: `5%>55%` */
function shareCell({ share }: Row): string {
  if (share === undefined) return '-';
  const parts = share.byTime.filter((part) => part !== undefined);
  const [first, last] = [parts[0], parts.at(-1)];
  const text = (part: number) => `${Math.round(part * 100)}%`;
  if (first === undefined || last === undefined || Math.abs(first - last) < SAME_SHARE)
    return text(share.share);
  return `${text(first)}>${text(last)}`;
}

const SHAPE_WORDS = {
  push: 'push',
  two_way: 'two-way',
  request_response: 'req/resp',
  silent: 'silent',
} as const;
const SHAPES = Object.keys(SHAPE_WORDS) as (keyof typeof SHAPE_WORDS)[];

/** Where all have requests and answers, or are silent, it says nothing new. */
const hasStreams = ({ traffic }: Pool): boolean =>
  traffic !== undefined && traffic.push + traffic.two_way > 0;

/** `2 push, 1 silent` */
function trafficCell({ pool: { traffic } }: Row): string {
  const shapes = SHAPES.filter((shape) => (traffic?.[shape] ?? 0) > 0);
  if (traffic === undefined || shapes.length === 0) return '?';
  return shapes.map((shape) => `${formatCount(traffic[shape])} ${SHAPE_WORDS[shape]}`).join(', ');
}

/** `6.0s by peer` */
function idleCloseCell({ pool: { idleCloses } }: Row): string {
  const { timeout } = idleCloses;
  if (timeout === undefined) return '-';
  if (timeout.reset === true) return `${formatDuration(timeout.ms)} by a reset`;
  return `${formatDuration(timeout.ms)}${timeout.by === undefined ? '' : ` by ${timeout.by}`}`;
}

function processCell({ owner }: Pool, names: Names): string {
  if (owner === 'shared') return 'shared';
  if (typeof owner !== 'object') return owner === 'none' ? '-' : '?';
  return `${cleanText(names.owner(owner).name)}/${owner.pid}`;
}

const endCell = ({ direction, end }: Pool, names: Names): string =>
  cleanText(direction === 'outbound' ? names.endpoint(end) : `clients of ${names.endpoint(end)}`);

const spreadText = (spread: Spread | undefined, which: keyof Spread): string =>
  spread === undefined ? '-' : formatDuration(spread[which]);

const ageText = ({ age, agesAtLeast }: Pool, which: keyof Spread): string =>
  age === undefined ? '-' : `${agesAtLeast ? '>=' : ''}${formatDuration(age[which])}`;

function* belowLines({ findings, hikari }: Row, names: Names, style: TableStyle): Generator<string> {
  for (const finding of findings) yield* findingLines(finding, names, style, INDENT);
  if (hikari !== undefined) yield* hikariLines(hikari, names, style, INDENT);
}

function* findingLines(
  { message, advice }: PoolFinding,
  names: Names,
  style: TableStyle,
  indent: string,
): Generator<string> {
  const line = (text: string) => wrapWords(cleanText(names.sentence(text)), indent, style.width);
  yield* line(message);
  if (advice !== undefined) yield* line(`-> ${advice}`);
}

const GUESSES = { same_total: 'as many connections', only_pool: 'the only pool' } as const;

function hikariLines(
  { stats, by, ageMs, disagreements }: HikariMatch,
  names: Names,
  style: TableStyle,
  indent: string,
): string[] {
  const { total, active, idle, waiting, maximum } = stats;
  const most = maximum === undefined ? '' : `/${maximum}`;
  const guess = by === undefined || by === 'process' ? '' : ` (a guess: ${GUESSES[by]})`;
  const ago = ageMs === undefined ? '' : `; ${formatDuration(ageMs)} ago`;
  const first = `HikariCP ${hikariName(stats.name, names)}${guess}: total ${total}${most}, active ${active}, idle ${idle}, waiting ${waiting}${ago}`;
  return [first, ...disagreements.map((text) => names.sentence(text))].flatMap((text) =>
    wrapWords(cleanText(text), indent, style.width),
  );
}

/** `10.0.0.9:3306`, `127.0.0.1:3306 in web` */
function remoteCell({ end, netns, namespace }: RemoteSum, names: Names): string {
  const text = cleanText(names.endpoint(end));
  if (netns === undefined) return text;
  return `${text} in ${cleanText((namespace && namespaceName(namespace, names)) ?? netns)}`;
}

/** Where one process has all of a remote's connections, its row says the same. */
function* remoteLines(remotes: readonly RemoteSum[], names: Names, style: TableStyle): Generator<string> {
  const shared = remotes.filter(({ processes }) => processes > 1);
  if (shared.length === 0) return;
  const cell = (title: string, text: (remote: RemoteSum) => string, giveUp?: number): Column<RemoteSum> => ({
    title,
    align: 'right',
    text,
    ...(giveUp !== undefined && { giveUp }),
  });
  const columns: Column<RemoteSum>[] = [
    { title: 'ALL PROCESSES TO', text: (remote) => remoteCell(remote, names), min: 16 },
    { title: 'SERVICE', text: ({ service }) => service ?? '-', giveUp: 3 },
    cell('PROCESSES', ({ processes }) => formatCount(processes), 4),
    cell('OPEN', ({ open }) => formatCount(open)),
    cell('BUSY', ({ busy }) => countText(busy)),
    cell('IDLE', ({ idle }) => countText(idle)),
    ...(shared.some(({ unsure = 0 }) => unsure > 0)
      ? [cell('UNSURE', ({ unsure }) => countText(unsure))]
      : []),
    cell('CONNECTING', ({ connecting }) => formatCount(connecting), 5),
    cell('HIGHEST', ({ highest }) => formatCount(highest), 2),
    cell('TIME-WAIT', ({ timeWait }) => formatCount(timeWait), 6),
    cell('NEW/S', ({ createdPerSecond }) => rateText(createdPerSecond), 1),
    cell('CLOSED/S', ({ closedPerSecond }) => rateText(closedPerSecond), 1),
  ];
  yield '';
  const layout = layOut(columns, shared, style);
  yield headLine(layout);
  for (const remote of shared) yield rowLine(layout, remote);
}

const areOfSeveral = (pools: readonly Pool[]): boolean => new Set(pools.map(({ netns }) => netns)).size > 1;

/** Whether rates are lower bounds, and why. */
function ratesText(endsTold: PoolsReport['endsTold'], apartMs: number | undefined): string {
  if (endsTold === 'all')
    return 'NEW/S and CLOSED/S have what came and went between two looks too, as the kernel told of its end.';
  const apart = apartMs === undefined ? '' : `, ${formatDuration(apartMs)} apart at most,`;
  const why =
    endsTold === 'some'
      ? `of what came and went between two looks${apart} the kernel's word was lost in part.`
      : `what came and went between two looks${apart} was not seen.`;
  return `NEW/S and CLOSED/S are lower bounds ("at least"): ${why}`;
}

/** What the numbers are, and what they are not (KERNEL.md 10 and 11). */
function notes({
  looks,
  watchedMs,
  pools,
  activeOpens,
  opensSeen,
  apartMs,
  endsTold,
}: PoolsReport): string[] {
  const missed =
    endsTold === 'all' || activeOpens === undefined || opensSeen === undefined || activeOpens <= opensSeen
      ? ''
      : ` The kernel counted ${formatCount(activeOpens)} connects in this namespace, ${formatCount(opensSeen)} were seen.`;
  const rates = looks > 1 ? ` ${ratesText(endsTold, apartMs)}${missed}` : '';
  const unsure = pools.some((pool) => (pool.unsure ?? 0) > 0)
    ? ' UNSURE: the last request and the last answer came within 10 ms, in which order is not known.'
    : '';
  const shared = pools.some(({ owner }) => owner === 'shared')
    ? ' shared: not accepted yet, or gone before a look, through a listener of several processes: not known which of them.'
    : '';
  const waiting = pools.some((pool) => pool.waiting > 0)
    ? ' WAITING: established, but not accepted by the application yet.'
    : '';
  const together = areOfSeveral(pools)
    ? ' ALL PROCESSES TO sums over network namespaces: a private address that is used again on another bridge looks the same.'
    : '';
  const traffic = pools.some(hasStreams)
    ? ' TRAFFIC is a guess from what moved between looks: push: one way only (streams, server-sent events), two-way: without the rhythm of requests and answers (WebSockets), silent: nothing. A WebSocket that echoes looks like requests; answers that come in pieces, with pauses, look two-way.'
    : '';
  return [
    `${looks} ${looks === 1 ? 'look' : 'looks'} in ${formatDuration(watchedMs)}. BUSY and IDLE are inferred from queues and from the times of the last data: an open transaction that is quiet looks idle, and callers that wait for a connection leave no trace.${unsure}${shared}${waiting}${traffic}${rates}${together} SERVICE is a guess by port.`,
  ];
}
