import { type Finding, ownAdvice } from '../model/findings.js';
import type { ListenerReport } from '../model/listener.js';
import type { Report } from '../model/report.js';
import { type Column, headLine, layOut, rowLine, type TableStyle, wrapWords } from './columns.js';
import { connectionLines } from './connections-table.js';
import { listenerCells as cells, GROUP_NOTE } from './listener-cells.js';
import { type Names, PLAIN_NAMES } from './names.js';
import { becauseText, listenerMark, markOf, paint, roleOf, verdictText, worstSeverity } from './style.js';
import { cleanText } from './text.js';

export interface SnapshotTableOptions extends TableStyle {
  readonly listeners: boolean;
  /** Rows of `report.sockets.table`; absent: no second table. */
  readonly connections?: Uint32Array;
  readonly names?: Names;
}

/** The snapshot for people, line by line with their ends: listeners with advice, findings of the host, connections. */
export function* snapshotTable(report: Report, options: SnapshotTableOptions): Generator<string> {
  const names = options.names ?? PLAIN_NAMES;
  names.learn(report);
  if (options.listeners) {
    for (const line of listenerLines(report, names, options)) yield `${line}\n`;
    for (const line of hostLines(report.findings, names, options)) yield `${line}\n`;
  }
  if (options.connections === undefined || report.sockets === undefined) return;
  if (options.listeners) yield '\n';
  for (const line of connectionLines(report.sockets.table, options.connections, names, options)) {
    yield `${line}\n`;
  }
}

function* listenerLines(
  { listeners, namespaces }: Report,
  names: Names,
  style: TableStyle,
): Generator<string> {
  if (listeners.length === 0) return yield 'no listeners';
  const layout = layOut(columnsWith(names, namespaces !== undefined), listeners, style);
  yield headLine(layout);
  for (const report of listeners) {
    yield rowLine(layout, report);
    yield* adviceLines(report, names, style);
  }
  if (listeners.some(({ listener }) => listener.group)) yield paint('dim', GROUP_NOTE, style.color);
}

const role = (report: ListenerReport) => roleOf(worstSeverity(report));

const netnsText = (names: Names) => (report: ListenerReport) => cells.netns(report, names);

const columnsWith = (names: Names, withNetns: boolean): readonly Column<ListenerReport>[] => [
  { title: 'S', text: listenerMark, role },
  ...(withNetns ? [{ title: 'NETNS', text: netnsText(names), min: 8 }] : []),
  { title: 'LOCAL', text: (report) => cells.local(report, names), min: 15 },
  { title: 'PROCESS', text: (report) => cells.owners(report, names), min: 10, giveUp: 1 },
  { title: 'ACCEPT QUEUE', text: cells.fill, role, giveUp: 2 },
  { title: 'QUEUE', text: cells.queue, align: 'right' },
  { title: 'CAPACITY', text: cells.capacity, align: 'right', giveUp: 6 },
  { title: 'WAIT', text: cells.oldestWait, align: 'right', giveUp: 3 },
  { title: 'DROPPED', text: cells.dropped, align: 'right', giveUp: 4 },
  { title: 'SYN-RECV', text: cells.synRecv, align: 'right', giveUp: 5 },
  { title: 'VERDICT', text: ({ verdict }) => verdictText(verdict), role },
];

const INDENT = '    ';

/** Under a listener that is not ok: what was found, and what to do. */
function adviceLines({ findings }: ListenerReport, names: Names, style: TableStyle): string[] {
  return findings.flatMap((finding) => findingLines(finding, names, style));
}

function findingLines(finding: Finding, names: Names, style: TableStyle): string[] {
  const line = (text: string) => wrapWords(cleanText(names.sentence(text)), INDENT, style.width);
  const advice = ownAdvice(finding);
  const because = becauseText(finding.causedBy);
  return [
    ...line(finding.message),
    ...(because === '' ? [] : line(because)),
    ...(advice === undefined ? [] : line(`-> ${advice}`)),
  ];
}

/** Findings that belong to no listener. */
function hostLines(findings: readonly Finding[], names: Names, style: TableStyle): string[] {
  return findings.flatMap((finding) => {
    const [first = '', ...rest] = findingLines(finding, names, style);
    const mark = markOf(finding.severity);
    const painted = paint(roleOf(finding.severity), mark, style.color);
    return [painted + first.slice(mark.length), ...rest];
  });
}
