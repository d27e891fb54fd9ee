import type { Filter } from '../analyze/filter.js';
import { selectRows, sortListeners, sortRows } from '../analyze/sort.js';
import { severityRank } from '../model/findings.js';
import type { Report } from '../model/report.js';
import { PROTOCOLS } from '../model/sockets.js';
import type { SocketTable } from '../model/table.js';
import { worstSeverity } from '../render/style.js';
import type { SnapshotFlags } from './snapshot-flags.js';
import type { SortChoice } from './snapshot-sort.js';

/** What of a report is shown. */
export interface View {
  /** With the listeners that match, in order. */
  readonly report: Report;
  readonly listeners: boolean;
  /** Rows of the table to list or to group; absent: none were asked for. */
  readonly rows?: Uint32Array;
}

type ViewFlags = Pick<SnapshotFlags, 'connections' | 'all' | 'udp' | 'unix' | 'group-by' | 'reverse'> & {
  /** Saved output: it holds the protocols that its maker chose. */
  readonly saved?: boolean;
};

/** Whether more than listeners is wanted, so that every socket must be read. */
export const wantsRows = (flags: ViewFlags): boolean =>
  flags.connections || flags.all || flags.udp || flags['group-by'] !== undefined;

export function selectView(
  report: Report,
  flags: ViewFlags,
  filter: Filter | undefined,
  sort: SortChoice,
): View {
  const matching = report.listeners.filter((listener) => filter?.matchesListener(listener) ?? true);
  const listeners = sort.listeners ? sortListeners(matching, sort.listeners, sort.descending) : matching;
  if (sort.listeners === undefined && flags.reverse) listeners.reverse();
  const shown = { report: { ...report, listeners }, listeners: !flags.connections || flags.all };
  const table = report.sockets?.table;
  if (table === undefined || !wantsRows(flags)) return shown;
  const rows = chooseRows(table, selectRows(table, filter), flags);
  const ordered = sort.rows ? sortRows(table, rows, sort.rows, sort.descending) : rows;
  return { ...shown, rows: withListeners(ordered, shown.report, flags) };
}

/** Rows of the protocols asked for, one after the other: TCP with --connections or --all, UDP, Unix with --all. */
function chooseRows(table: SocketTable, rows: Uint32Array, flags: ViewFlags): Uint32Array {
  const { saved, all, connections } = flags;
  const tcp = connections || all || flags['group-by'] !== undefined;
  const wanted = PROTOCOLS.flatMap((protocol, code) => {
    if (protocol === 'udp') return flags.udp || (saved && all) ? [code] : [];
    if (protocol === 'unix') return (flags.unix || saved) && all ? [code] : [];
    return tcp ? [code] : [];
  });
  return joinRows(wanted.map((code) => rows.filter((row) => table.protocol[row] === code)));
}

function joinRows(parts: readonly Uint32Array[]): Uint32Array {
  const joined = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Groups count listeners with --all. */
function withListeners(rows: Uint32Array, report: Report, flags: ViewFlags): Uint32Array {
  if (flags['group-by'] === undefined || !flags.all) return rows;
  return joinRows([rows, Uint32Array.from(report.listeners, ({ listener }) => listener.row)]);
}

/** Whether `--fail-on` is met by what is shown; findings of the host count unless a filter chose otherwise. */
export function isAtLeast(view: View, limit: 'warning' | 'critical', filtered: boolean): boolean {
  const { listeners, findings } = view.report;
  const severities = [
    ...listeners.map(worstSeverity),
    ...(filtered ? [] : findings.map(({ severity }) => severity)),
  ];
  return severities.some((severity) => severity && severityRank(severity) >= severityRank(limit));
}
