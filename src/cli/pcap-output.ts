import type { CaptureInfo } from '../model/packets.js';
import type { TraceConnection } from '../model/trace.js';
import { type ByteText, fixedText } from '../render/byte-text.js';
import type { Names } from '../render/names.js';
import { ConnectionWriter } from '../render/trace/connection-writer.js';
import { traceCsvHead, traceCsvRecord } from '../render/trace/csv.js';
import { connectionJson } from '../render/trace/json.js';
import { connectionLine } from '../render/trace/line.js';
import { summaryJson } from '../render/trace/summary-json.js';
import { zeekHead, zeekRecord } from '../render/trace/zeek.js';
import type { TraceResult } from '../trace/index.js';
import type { TraceFormat } from './pcap-flags.js';

/** A form of output that tells connections one by one, as they end. `epochSeconds`: what their times count from. */
export interface TraceWriter {
  head(out: ByteText, epochSeconds: number): void;
  connection(out: ByteText, connection: TraceConnection, epochSeconds: number): void;
  tail(out: ByteText, result: TraceResult, info: CaptureInfo): void;
}

/** The writer of a format; undefined: the table, which needs the whole result. */
export function traceWriter(format: TraceFormat, names: Names): TraceWriter | undefined {
  return format === 'table' ? undefined : WRITERS[format](names);
}

const WRITERS: Readonly<Record<Exclude<TraceFormat, 'table'>, (names: Names) => TraceWriter>> = {
  json: jsonWriter,
  ndjson: ndjsonWriter,
  csv: (names) => ({
    head: (out) => out.text(traceCsvHead()),
    connection: (out, connection, epochSeconds) =>
      out.text(traceCsvRecord(connectionJson(connection, { epochSeconds, names }))),
    tail: () => {},
  }),
  zeek: (names) => ({
    head: (out, epochSeconds) => out.text(zeekHead(epochSeconds)),
    connection: (out, connection, epochSeconds) => out.text(zeekRecord(connection, epochSeconds, names)),
    tail: (out, { summary }, { epochSeconds }) =>
      out.text(zeekTail(epochSeconds + (summary.end?.time ?? 0) / 1e9)),
  }),
};

const zeekTail = (endSeconds: number): string => {
  const ms = endSeconds * 1000;
  if (!(Math.abs(ms) <= 8.64e15)) return '';
  return `#close\t${new Date(ms).toISOString().slice(0, 19).replace(/[:T]/g, '-')}\n`;
};

const LINE_END = fixedText('\n');
const COMMA_LINE_END = fixedText(',\n');

/** A line for each connection, and one for the summary. */
function ndjsonWriter(names: Names): TraceWriter {
  const writer = new ConnectionWriter(names);
  return {
    head: () => {},
    connection: (out, connection, epochSeconds) => {
      writer.write(out, connection, epochSeconds);
      out.fixed(LINE_END);
    },
    tail: (out, { summary }, info) => {
      out.json(summaryJson(summary, info, names));
      out.fixed(LINE_END);
    },
  };
}

/** One object, written in pieces: `{"schema", "connections": [...], "summary"}`. */
function jsonWriter(names: Names): TraceWriter {
  const writer = new ConnectionWriter(names);
  let isFirst = true;
  return {
    head: (out) => out.text('{"schema":"sockwatch.pcap/1","connections":['),
    connection: (out, connection, epochSeconds) => {
      out.fixed(isFirst ? LINE_END : COMMA_LINE_END);
      writer.write(out, connection, epochSeconds);
      isFirst = false;
    },
    tail: (out, { summary }, info) => {
      out.text('\n],"summary":');
      out.json(summaryJson(summary, info, names));
      out.text('}\n');
    },
  };
}

/** For people who watch: each connection on a line of its own when it ends. */
export const lineWriter = (names: Names, color: boolean): TraceWriter => ({
  head: () => {},
  connection: (out, connection, epochSeconds) =>
    out.text(connectionLine(connection, epochSeconds, { color, names })),
  tail: () => {},
});
