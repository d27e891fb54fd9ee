import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatEndpoint } from '../../src/model/endpoint.js';
import type { DirectionFacts, Outcome, TraceConnection } from '../../src/model/trace.js';
import type { Moment } from '../../src/model/trace-moment.js';
import { sharedDir, sharedMissing } from '../support/shared.js';
import { traceFiles } from '../support/trace.js';

type Pair<T> = readonly [T, T];

interface Stream {
  readonly file: string;
  readonly stream: number;
  readonly client: string;
  readonly server: string;
  readonly outcome: string;
  readonly syn: readonly number[];
  readonly syn_ack: readonly number[];
  readonly ack: number | null;
  readonly bytes: Pair<number>;
  readonly segments: Pair<number>;
  readonly retransmissions: Pair<number>;
  readonly out_of_order: Pair<number>;
  readonly fin: Pair<number | null>;
  readonly rst: Pair<number | null>;
  readonly tls: { readonly client_hello: number | null; readonly server_hello: number | null };
  readonly http_requests: number;
  readonly http_responses: number;
}

const OUTCOMES: Readonly<Record<Outcome, string>> = {
  established: 'established',
  refused: 'refused',
  timed_out: 'no_reply',
  unresolved: 'no_reply',
  half_open: 'half_open',
  midstream: 'midstream',
  reset_in_handshake: 'reset',
};

/** Where tshark is not followed, with the reason. `file stream field`. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  'real/bro.org.pcap 2 http': 'a response begins in bytes that the capture lacks; its head is there',
  'real/http2-nghttp2.pcap 0 http': 'HTTP/2: tshark counts HTTP/1 only',
  'real/hrr.pcap 0 server_hello': 'the first ServerHello is a HelloRetryRequest, which is none',
  'real/one-sided-2745.pcap 0 outcome':
    'the server goes on after its SYN-ACK: the side that was not captured acknowledged it',
  'real/one-sided-2745.pcap 1 outcome': 'as above',
  'real/split-handshake-4whs.pcap 0 outcome': 'a split handshake establishes a connection',
  'real/split-handshake-4whs.pcap 0 ack': 'as above',
  'real/split-handshake-4whs.pcap 0 syn':
    'what comes with the same number 1 ms later is a SYN-ACK of the client',
  'real/syn-then-ack-then-rst.pcap 0 outcome':
    'the client reset its own attempt: tshark knows no such outcome',
  'real/syn-then-rst.pcap 0 outcome': 'as above',
  'real/tcp_handshake_synthetic.pcap 11 outcome': 'the ACK acknowledges another number than the SYN-ACK had',
  'real/tcp_handshake_synthetic.pcap 11 ack': 'as above',
  'real/tcp_handshake_synthetic.pcap 5 syn': 'two SYNs 2 ms apart with one IP identification: a copy',
  'real/tcp_handshake_synthetic.pcap 14 syn': 'two SYNs 1 ms apart with one IP identification: a copy',
  'real/tcp_handshake_synthetic.pcap 14 segments': 'as above',
  'real/vlan-collisions.pcap 0 count': 'three VLANs are three connections',
  'real/wireshark-retrans.pcap 0 http': 'responses that were captured several times count once',
};
for (const field of ['syn', 'syn_ack', 'segments', 'bytes', 'resent']) {
  const add = (file: string, reason: string) =>
    Object.assign(DIFFERENCES, { [`real/${file}.pcap 0 ${field}`]: reason });
  add('vlan-collisions', 'the first of three VLANs only');
  add('wireshark-retrans', 'copies made by the capture are left out');
  add('ssh-dups', 'copies made by the capture are left out');
}

/** SYNs, SYN-ACKs and FINs that come again are told as what they are: ours are retransmissions of payload. */
const isOfPayload = (stream: Stream) => stream.syn.length <= 1 && stream.syn_ack.length <= 1;
const NO_PAYLOAD = new Set([
  'real/tcp_handshake_synthetic.pcap 3',
  'real/fin_retransmission.pcap 0',
  'real/split-handshake-4whs.pcap 0',
]);

const streams: Stream[] =
  sharedDir === undefined
    ? []
    : readFileSync(join(sharedDir, 'captures/tshark-streams.ndjson'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Stream);
const files = [...new Set(streams.map(({ file }) => file))];

describe.skipIf(sharedMissing)(`beside tshark${sharedMissing ? ` (skipped: ${sharedMissing})` : ''}`, () => {
  const used = new Set<string>();
  const compared = new Map<string, readonly [ours: unknown, theirs: unknown]>();

  beforeAll(async () => {
    for (const file of files) {
      const { connections, info } = await traceFiles([join(sharedDir ?? '', 'captures', file)]);
      const ours = connections.filter(({ protocol }) => protocol === 'tcp');
      const theirs = streams.filter((stream) => stream.file === file);
      compared.set(`${file} 0 count`, [ours.length, theirs.length]);
      const left = [...ours];
      for (const stream of theirs) compare(stream, takePair(left, stream), info.epochSeconds);
    }
  });

  /** The next connection between the same two ends, whoever is the client. */
  function takePair(left: TraceConnection[], { client, server }: Stream): TraceConnection | undefined {
    const ends = [client, server].sort().join();
    const at = left.findIndex(
      (one) => [formatEndpoint(one.client), formatEndpoint(one.server)].sort().join() === ends,
    );
    return left.splice(at, at < 0 ? 0 : 1)[0];
  }

  function compare(stream: Stream, ours: TraceConnection | undefined, epochSeconds: number): void {
    const name = `${stream.file} ${stream.stream}`;
    const put = (field: string, one: unknown, other: unknown) =>
      compared.set(`${name} ${field}`, [one, other]);
    put('found', ours !== undefined, true);
    if (ours === undefined) return;
    const micros = (time: number | null) => (time === null ? null : Math.round((time - epochSeconds) * 1e6));
    const at = (moment: Moment | undefined) => (moment === undefined ? null : Math.round(moment.time / 1e3));
    const { clientFacts: client, serverFacts: server } = ours;
    put('client', formatEndpoint(ours.client), stream.client);
    put('outcome', OUTCOMES[ours.outcome], stream.outcome);
    put('syn', ours.syn.map(at), stream.syn.map(micros));
    put('syn_ack', ours.synAck.map(at), stream.syn_ack.map(micros));
    put('ack', at(ours.ack), micros(stream.ack));
    put('fin', [at(client.fin), at(server.fin)], stream.fin.map(micros));
    put('rst', [at(client.rst), at(server.rst)], stream.rst.map(micros));
    put('bytes', [client.bytes, server.bytes], stream.bytes);
    put('segments', [client.segments, server.segments], stream.segments);
    put('client_hello', at(ours.tls?.clientHello), micros(stream.tls.client_hello));
    put('server_hello', at(ours.tls?.serverHello), micros(stream.tls.server_hello));
    put(
      'http',
      [ours.http?.requests ?? 0, ours.http?.responses ?? 0],
      [stream.http_requests, stream.http_responses],
    );
    if (!isOfPayload(stream) || NO_PAYLOAD.has(name)) return;
    // tshark decides by a timer what is out of order, we by what was seen: only their sum can be compared.
    const theirs = [0, 1].map(
      (side) => (stream.retransmissions[side] ?? 0) + (stream.out_of_order[side] ?? 0),
    );
    put('resent', [resent(client), resent(server)], theirs);
  }

  it('has captures to compare', () => {
    expect(files.length).toBeGreaterThan(40);
    expect(compared.size).toBeGreaterThan(1500);
  });

  it.each(files)('%s', (file) => {
    const wrong: unknown[] = [];
    for (const [key, [ours, theirs]] of compared) {
      if (!key.startsWith(`${file} `) || isSame(ours, theirs, TIMES.test(key))) continue;
      if (key in DIFFERENCES) used.add(key);
      else wrong.push({ key, ours, theirs });
    }
    expect(wrong).toEqual([]);
  });

  it('differs nowhere without need', () => {
    const unused = Object.keys(DIFFERENCES).filter((key) => !used.has(key));
    expect(unused.filter((key) => !/ (syn|syn_ack|segments|bytes|resent)$/.test(key))).toEqual([]);
  });
});

const TIMES = / (syn|syn_ack|ack|fin|rst|client_hello|server_hello)$/;

/** Times have been rounded to µs on tshark's way. */
function isSame(one: unknown, other: unknown, isTime: boolean): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((value, index) => isSame(value, other[index], isTime));
  const areNumbers = typeof one === 'number' && typeof other === 'number';
  return areNumbers && isTime ? Math.abs(one - other) <= 1 : one === other;
}

const resent = ({ retransmissions: { rto, fast, spurious }, outOfOrder }: DirectionFacts): number =>
  rto + fast + spurious + outOfOrder;
