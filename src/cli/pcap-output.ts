import type { CaptureInfo } from '../model/packets.js';
import type { TraceConnection } from '../model/trace.js';
import { jsonText } from '../render/json-text.js';
import type { Names } from '../render/names.js';
import { traceCsvHead, traceCsvRecord } from '../render/trace/csv.js';
import { connectionJson } from '../render/trace/json.js';
import { connectionLine } from '../render/trace/line.js';
import { summaryJson } from '../render/trace/summary-json.js';
import { zeekHead, zeekRecord } from '../render/trace/zeek.js';
import type { TraceResult } from '../trace/index.js';
import type { TraceFormat } from './pcap-flags.js';

/** A form of output that tells connections one by one, as they end. */
export interface TraceWriter {
  head(epochSeconds: number): string;
  connection(connection: TraceConnection, epochSeconds: number): string;
  tail(result: TraceResult, info: CaptureInfo): string;
}

/** The writer of a format; undefined: the table, which needs the whole result. */
export function traceWriter(format: TraceFormat, names: Names): TraceWriter | undefined {
  return format === 'table' ? undefined : WRITERS[format](names);
}

const WRITERS: Readonly<Record<Exclude<TraceFormat, 'table'>, (names: Names) => TraceWriter>> = {
  json: jsonWriter,
  ndjson: (names) => ({
    head: () => '',
    connection: (connection, epochSeconds) =>
      `${jsonText(connectionJson(connection, { epochSeconds, names }))}\n`,
    tail: ({ summary }, info) => `${jsonText(summaryJson(summary, info, names))}\n`,
  }),
  csv: (names) => ({
    head: traceCsvHead,
    connection: (connection, epochSeconds) =>
      traceCsvRecord(connectionJson(connection, { epochSeconds, names })),
    tail: () => '',
  }),
  zeek: (names) => ({
    head: zeekHead,
    connection: (connection, epochSeconds) => zeekRecord(connection, epochSeconds, names),
    tail: ({ summary }, { epochSeconds }) => zeekTail(epochSeconds + (summary.end?.time ?? 0) / 1e9),
  }),
};

const zeekTail = (endSeconds: number): string => {
  const ms = endSeconds * 1000;
  if (!(Math.abs(ms) <= 8.64e15)) return '';
  return `#close\t${new Date(ms).toISOString().slice(0, 19).replace(/[:T]/g, '-')}\n`;
};

/** One object, written in pieces: `{"schema", "connections": [...], "summary"}`. */
function jsonWriter(names: Names): TraceWriter {
  let first = true;
  return {
    head: () => '{"schema":"sockwatch.pcap/1","connections":[',
    connection: (connection, epochSeconds) => {
      const text = `${first ? '\n' : ',\n'}${jsonText(connectionJson(connection, { epochSeconds, names }))}`;
      first = false;
      return text;
    },
    tail: ({ summary }, info) => `\n],"summary":${jsonText(summaryJson(summary, info, names))}}\n`,
  };
}

/** For people who watch: each connection on a line of its own when it ends. */
export const lineWriter = (names: Names, color: boolean): TraceWriter => ({
  head: () => '',
  connection: (connection, epochSeconds) => connectionLine(connection, epochSeconds, { color, names }),
  tail: () => '',
});
