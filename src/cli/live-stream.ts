import type { Writable } from 'node:stream';
import { selectRows } from '../analyze/sort.js';
import type { Report } from '../model/report.js';
import { toAlertJson, toEventJson, toSnapshotJson } from '../render/json.js';
import { jsonText } from '../render/json-text.js';
import { reportLines } from '../render/lines.js';
import { decideColor } from '../render/style.js';
import { type LiveOptions, wantsConnections } from './live-options.js';
import { EventFilter, narrowReport, tapReports } from './live-reports.js';
import type { LiveSession } from './live-what.js';
import { writePieces } from './output.js';
import { Remarks } from './remarks.js';

type Terminal = Writable & { readonly isTTY?: boolean };

/** Writes reports as lines of text or JSON until they end, or until nobody reads. Remarks go to `note`. False: no look succeeded. */
export async function streamReports(
  session: LiveSession,
  stdout: Terminal,
  note: (text: string) => void,
): Promise<boolean> {
  const { demo } = session;
  if (demo !== undefined)
    note(`the demo listens on 127.0.0.1:${demo.port} with a backlog of ${demo.backlog}`);
  const seen = { looks: 0, faults: 0 };
  const reports = tapReports(session.reports, ({ pace }) => {
    seen.looks++;
    if (pace.fault !== undefined) seen.faults++;
  });
  await writePieces(pieces({ ...session, reports }, stdout.isTTY === true, note), stdout);
  return seen.looks === 0 || seen.faults < seen.looks;
}

async function* pieces(
  { options, reports }: LiveSession,
  isTerminal: boolean,
  note: (text: string) => void,
): AsyncGenerator<string> {
  const events = new EventFilter(options.filter);
  const remarks = new Remarks(note);
  const { names } = options;
  const print = options.mode === 'lines' ? linePrinter(options, isTerminal) : jsonLines;
  for await (const whole of reports) {
    names.learn(whole);
    remarks.hear(whole, names);
    const report = narrowReport(whole, options.filter, events);
    for (const line of print(report, options)) yield `${line}\n`;
    if (options.flags.bell && isTerminal && raisesAlert(report)) yield '\x07';
  }
}

const raisesAlert = ({ events }: Report) => events.some(({ phase }) => phase === 'raised');

function linePrinter({ flags, names }: LiveOptions, isTerminal: boolean) {
  const color = decideColor(process.env, isTerminal, flags['no-color'] ? false : undefined);
  return (report: Report) => reportLines(report, { color, names });
}

/** The whole snapshot on one line, then the events of alerts, each on its own. */
function* jsonLines(report: Report, { flags, mode, names, filter }: LiveOptions): Generator<string> {
  const table = report.sockets?.table;
  const rows = table && wantsConnections(flags, mode) ? { connections: selectRows(table, filter) } : {};
  yield jsonText(toSnapshotJson(report, { ...rows, names }));
  for (const event of report.events) yield jsonText(toAlertJson(event, report.origin, names));
  for (const change of report.changes ?? []) yield jsonText(toEventJson(change, report.origin, names));
}
