import type { EndJson, HeaderJson, SocketJson } from '../model/json.js';
import type { Report } from '../model/report.js';
import { ByteText, fixedText } from './byte-text.js';
import { type JsonOptions, namespacesJson, originJson, snapshotHead, snapshotTail } from './json.js';
import { listenerJson } from './json-listener.js';
import { findingJson, gapJson, known } from './json-parts.js';
import { jsonText } from './json-text.js';
import { type Names, PLAIN_NAMES } from './names.js';
import { SocketWriter } from './socket-writer.js';

const PIECE_BYTES = 1 << 16;

/** Sockets as bytes in pieces, each good until the next is asked for. */
function* socketBytes(
  rows: Iterable<number>,
  writer: SocketWriter,
  around: { readonly first: string; readonly next: string; readonly end: string },
): Generator<Uint8Array> {
  const [next, end] = [fixedText(around.next), fixedText(around.end)];
  const out = new ByteText();
  let before = fixedText(around.first);
  for (const row of rows) {
    out.fixed(before);
    before = next;
    writer.write(out, row);
    out.fixed(end);
    if (out.length < PIECE_BYTES) continue;
    yield out.written();
    out.clear();
  }
  if (out.length > 0) yield out.written();
}

/** The object of `toSnapshotJson` as text in pieces, one line per listener and connection: never one giant string. */
export function* snapshotJson(report: Report, options: JsonOptions = {}): Generator<string | Uint8Array> {
  const names = options.names ?? PLAIN_NAMES;
  names.learn(report);
  yield `{${insideOf(snapshotHead(report, names))},\n"listeners":[`;
  yield* elements(report.listeners, (listener) => listenerJson(listener, names));
  const table = report.sockets?.table;
  if (options.connections && table) {
    yield `],\n"connections":[`;
    const writer = new SocketWriter(table, names, report.origin.netns);
    yield* socketBytes(options.connections, writer, { first: '\n{', next: ',\n{', end: '}' });
  }
  yield `],\n${insideOf(snapshotTail(report, names))}}\n`;
}

const insideOf = (object: object): string => jsonText(object).slice(1, -1);

function* elements<T>(values: Iterable<T>, toJson: (value: T) => unknown): Generator<string> {
  let before = '\n';
  for (const value of values) {
    yield before + jsonText(toJson(value));
    before = ',\n';
  }
}

export interface NdjsonOptions extends JsonOptions {
  /** Whether listeners are listed. */
  readonly listeners: boolean;
}

/** A header line, one `sockwatch.socket/1` per line, an end line that counts them. */
export function* snapshotNdjson(report: Report, options: NdjsonOptions): Generator<string | Uint8Array> {
  const names = options.names ?? PLAIN_NAMES;
  names.learn(report);
  yield line(headerJson(report, names));
  const listeners = options.listeners ? report.listeners : [];
  for (const one of listeners) yield line(listenerLine(one, names));
  const table = report.sockets?.table;
  const rows = (table && options.connections) ?? [];
  if (table !== undefined) {
    const head = '{"schema":"sockwatch.socket/1","kind":"connection",';
    const writer = new SocketWriter(table, names, report.origin.netns);
    yield* socketBytes(rows, writer, { first: head, next: head, end: '}\n' });
  }
  yield line(endJson(report, names, listeners.length, rows.length));
}

const line = (value: object) => `${jsonText(value)}\n`;

const listenerLine = (report: Report['listeners'][number], names: Names): SocketJson => ({
  schema: 'sockwatch.socket/1',
  kind: 'listener',
  ...listenerJson(report, names),
});

const headerJson = (report: Report, names: Names): HeaderJson =>
  known({
    schema: 'sockwatch.header/1' as const,
    ...originJson(report, names),
    counters: report.counters,
    namespaces: namespacesJson(report),
    findings: report.findings.map((finding) => findingJson(finding, names)),
  });

const endJson = (report: Report, names: Names, listeners: number, connections: number): EndJson => ({
  schema: 'sockwatch.end/1',
  listeners,
  connections,
  gaps: report.gaps.map((gap) => gapJson(gap, names)),
});
