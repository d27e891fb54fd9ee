import { bareHost, type Endpoint } from '../../model/endpoint.js';
import type { TraceConnection } from '../../model/trace.js';
import { type Names, PLAIN_NAMES } from '../names.js';
import { cleanText } from '../text.js';

// Names and types of the columns: Zeek manual, "conn.log" and "Zeek TSV Format Logs".
const COLUMNS: readonly (readonly [name: string, type: string])[] = [
  ['ts', 'time'],
  ['uid', 'string'],
  ['id.orig_h', 'addr'],
  ['id.orig_p', 'port'],
  ['id.resp_h', 'addr'],
  ['id.resp_p', 'port'],
  ['proto', 'enum'],
  ['service', 'string'],
  ['duration', 'interval'],
  ['orig_bytes', 'count'],
  ['resp_bytes', 'count'],
  ['conn_state', 'string'],
  ['local_orig', 'bool'],
  ['local_resp', 'bool'],
  ['missed_bytes', 'count'],
  ['history', 'string'],
  ['orig_pkts', 'count'],
  ['orig_ip_bytes', 'count'],
  ['resp_pkts', 'count'],
  ['resp_ip_bytes', 'count'],
  ['tunnel_parents', 'set[string]'],
];

const UNSET = '-';
const EMPTY = '(empty)';

/** The lines before the records. `openSeconds`: start of the capture, seconds since 1970. */
export function zeekHead(openSeconds: number): string {
  const stamp = (seconds: number) => {
    const ms = seconds * 1000;
    return Math.abs(ms) > 8.64e15 ? UNSET : new Date(ms).toISOString().slice(0, 19).replace(/[:T]/g, '-');
  };
  return [
    '#separator \\x09',
    '#set_separator\t,',
    `#empty_field\t${EMPTY}`,
    `#unset_field\t${UNSET}`,
    '#path\tconn',
    `#open\t${stamp(openSeconds)}`,
    `#fields\t${COLUMNS.map(([name]) => name).join('\t')}`,
    `#types\t${COLUMNS.map(([, type]) => type).join('\t')}`,
    '',
  ].join('\n');
}

/** One record of conn.log. Bytes are payload bytes as sent. */
export function zeekRecord(
  connection: TraceConnection,
  epochSeconds: number,
  names: Names = PLAIN_NAMES,
): string {
  const { clientFacts, serverFacts, first, zeek } = connection;
  // Of a single packet Zeek gives neither duration nor sizes.
  const duration = durationOf(connection);
  const fields = [
    seconds(epochSeconds, first.time),
    uidOf(connection.id),
    ...endpointFields(connection.client, names),
    ...endpointFields(connection.server, names),
    connection.protocol === 'tcp' ? 'tcp' : 'udp',
    serviceOf(connection),
    ...(duration === 0
      ? [UNSET, UNSET, UNSET]
      : [(duration / 1e9).toFixed(6), clientFacts.bytes, serverFacts.bytes]),
    zeek.connState,
    UNSET,
    UNSET,
    clientFacts.missingBytes + serverFacts.missingBytes,
    zeek.history === '' ? UNSET : zeek.history,
    clientFacts.segments,
    clientFacts.ipBytes,
    serverFacts.segments,
    serverFacts.ipBytes,
    UNSET,
  ];
  return `${fields.join('\t')}\n`;
}

/** ns. Zeek's clock of a connection stops when both sides have sent their FIN: the last ACK does not count (PCAP.md section 2). */
function durationOf({ first, last, clientFacts, serverFacts }: TraceConnection): number {
  const ends = [clientFacts.fin, serverFacts.fin].flatMap((fin) => (fin === undefined ? [] : [fin.time]));
  return (ends.length === 2 ? Math.max(...ends) : last.time) - first.time;
}

/** Seconds since 1970 with microseconds, from two numbers that a float could not add without loss. */
function seconds(epoch: number, nanos: number): string {
  const micros = Math.round(nanos / 1000);
  const whole = Math.floor(micros / 1e6);
  return `${epoch + whole}.${String(micros - whole * 1e6).padStart(6, '0')}`;
}

/** Zeek's are random; ours are the same in each run: the number of the connection. */
const uidOf = (id: number) => `C${id.toString(36).padStart(16, '0')}`;

function endpointFields(endpoint: Endpoint, names: Names): [string, number | string] {
  if (endpoint.kind === 'unix') return [UNSET, UNSET];
  return [names.redacted ? names.host(endpoint) : bareHost(endpoint), endpoint.port ?? 0];
}

/** Zeek, scripts/base/protocols/dns/main.zeek: DNS, NetBIOS names, mDNS, LLMNR. */
const DNS_PORTS = new Set([53, 137, 5353, 5355]);

function serviceOf({ tls, http, quic, protocol, server }: TraceConnection): string {
  if (quic) return 'quic';
  if (protocol === 'udp' && server.kind === 'ip' && DNS_PORTS.has(server.port ?? 0)) return 'dns';
  if (tls) return 'ssl';
  return http === undefined ? UNSET : cleanText(http.version === 'websocket' ? 'http,websocket' : 'http');
}
