import type { TraceConnection } from '../../model/trace.js';
import { type Names, PLAIN_NAMES } from '../names.js';
import { markOf, paint, roleOf } from '../style.js';
import { cleanText, formatBytes, formatCount } from '../text.js';
import { OUTCOME_CELLS } from './labels.js';
import { durationOf } from './numbers.js';
import { isoNanos } from './time.js';

/** A connection that has ended, on one line: time, mark, ends, outcome, phases, size, what was found. With its end. */
export function connectionLine(
  connection: TraceConnection,
  epochSeconds: number,
  { color = false, names = PLAIN_NAMES }: { color?: boolean; names?: Names } = {},
): string {
  const { first, client, server, outcome, phases, findings, clientFacts, serverFacts, http, tls, quic } =
    connection;
  const worst = findings[0]?.severity;
  const name = tls?.sni ?? quic?.sni ?? http?.exchanges[0]?.host;
  const spent = (label: string, nanos: number | undefined) =>
    nanos === undefined ? [] : [`${label} ${durationOf(nanos)}`];
  const exchange = http?.exchanges[0];
  const parts = [
    isoNanos(epochSeconds, first.time).slice(0, -4).concat('Z'),
    paint(roleOf(worst), markOf(worst), color),
    `${names.endpoint(client)} -> ${names.endpoint(server)}`,
    OUTCOME_CELLS[outcome],
    ...spent('connect', phases.connect),
    ...spent('tls', phases.tls),
    ...spent('response', phases.firstResponse),
    ...spent('in all', phases.duration),
    formatBytes(clientFacts.bytes + serverFacts.bytes),
    ...(name === undefined ? [] : [cleanText(names.machine(name))]),
    ...(exchange === undefined || names.redacted
      ? []
      : [cleanText(`${exchange.method ?? ''} ${exchange.path ?? ''} ${exchange.status ?? '-'}`).trim()]),
    ...((http?.requests ?? 0) > 1 ? [`${formatCount(http?.requests ?? 0)} requests`] : []),
    ...findings.map(({ sure, message }) =>
      cleanText(names.sentence(sure === 'certain' ? message : `${sure}: ${message}`)),
    ),
  ];
  return `${parts.join('  ')}\n`;
}
