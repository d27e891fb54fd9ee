import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SockwatchError } from '../../../src/model/errors.js';
import { OUTCOMES, ROLES, type TraceConnection } from '../../../src/model/trace.js';
import { ByteText } from '../../../src/render/byte-text.js';
import { jsonText } from '../../../src/render/json-text.js';
import { type Names, PLAIN_NAMES } from '../../../src/render/names.js';
import { Pseudonyms } from '../../../src/render/redact.js';
import { ConnectionWriter } from '../../../src/render/trace/connection-writer.js';
import { connectionJson } from '../../../src/render/trace/json.js';
import { sharedDir, sharedMissing } from '../../support/shared.js';
import { traceFiles } from '../../support/trace.js';

/** The lines as objects and JSON.stringify give them, and as the writer does. Names of their own: pseudonyms count. */
function bothWays(connections: readonly TraceConnection[], epochSeconds: number, names: () => Names) {
  const [ours, theirs] = [names(), names()];
  const writer = new ConnectionWriter(ours);
  const out = new ByteText();
  return connections.map((connection) => {
    out.clear();
    writer.write(out, connection, epochSeconds);
    return {
      written: Buffer.from(out.written()).toString(),
      wanted: Buffer.from(jsonText(connectionJson(connection, { epochSeconds, names: theirs }))).toString(),
    };
  });
}

function expectSame(connections: readonly TraceConnection[], epochSeconds: number): void {
  for (const names of [() => PLAIN_NAMES, () => new Pseudonyms()]) {
    for (const { written, wanted } of bothWays(connections, epochSeconds, names))
      expect(written).toBe(wanted);
  }
}

const CAPTURE = /\.(pcap|pcapng|cap)(\.gz)?$/;
const capturesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => CAPTURE.test(name))
    .map((name) => join(folder, name));

const fixtures = fileURLToPath(new URL('../../../fixtures/captures', import.meta.url));

async function connectionsOf(path: string) {
  try {
    const { connections, info } = await traceFiles([path], { keepQueries: true });
    return { connections, epochSeconds: info.epochSeconds };
  } catch (error) {
    // Some of the malformed ones are no captures at all.
    expect(error).toBeInstanceOf(SockwatchError);
    return { connections: [], epochSeconds: 0 };
  }
}

describe('the writer says what the objects say', () => {
  it('for the captures of the fixtures', async () => {
    let count = 0;
    for (const path of capturesIn(fixtures)) {
      const { connections, epochSeconds } = await connectionsOf(path);
      count += connections.length;
      expectSame(connections, epochSeconds);
    }
    expect(count).toBeGreaterThan(10);
  });

  it.skipIf(sharedMissing)(
    `for all shared captures${sharedMissing ? ` (skipped: ${sharedMissing})` : ''}`,
    { timeout: 300_000 },
    async () => {
      let count = 0;
      for (const path of capturesIn(join(sharedDir ?? '', 'captures'))) {
        const { connections, epochSeconds } = await connectionsOf(path);
        count += connections.length;
        expectSame(connections, epochSeconds);
      }
      expect(count).toBeGreaterThan(100);
    },
  );
});

/** Numbers that a capture can bring, and some that none should. */
const nanosValue = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 40 }),
  fc.integer({ min: -(2 ** 40), max: 0 }),
  fc.integer({ min: 0, max: 1e6 }).map((ms) => ms * 1e6),
  fc.integer({ min: 1, max: 100 }).map((seconds) => seconds * 1e9 - 0.3),
  fc.maxSafeInteger(),
  // Where a double no longer tells nanoseconds apart.
  fc.double({ min: 1e14, max: 1e20, noNaN: true }),
  fc.integer({ min: 1e8, max: 2e9 }).map((seconds) => seconds * 1e9 - 16),
  fc.double({ min: 0, max: 1e12, noNaN: true }),
  fc.double(),
);
const count = fc.oneof(
  fc.nat(12),
  fc.nat({ max: 2 ** 31 - 1 }),
  fc.nat({ max: 2 ** 33 }),
  fc.constantFrom(9, 10, 99, 100, 999, 1000, 999_999, 1_000_000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1),
);
/** Escapes, control bytes, lone surrogates, invisible characters, and strings longer than the writer looks at. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\x1b', '\x7f', '\x9b', 'a', 'é', '\u202e', '\ud800') }),
  fc.string({ minLength: 100, maxLength: 300 }),
);
const moment = fc.record({ frame: count, time: nanosValue });
const peer = fc.constantFrom('client', 'server');
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const address = fc.oneof(
  word.map((last) => ({ family: 4, words: [0, 0, 0, last] })),
  fc.tuple(word, word, word, word).map((words) => ({ family: 6, words })),
  // The same few hosts again and again, of both families.
  fc.record({ family: fc.constantFrom(4, 6), words: fc.constantFrom([0, 0, 0, 1], [0, 0, 0, 2]) }),
);
const endpoint = fc.oneof(
  fc.record(
    { kind: fc.constant('ip'), address, port: fc.nat(65_535), device: text },
    { requiredKeys: ['kind', 'address'] },
  ),
  fc.record({ kind: fc.constant('ip'), address, port: fc.nat(65_535) }),
  fc.record({ kind: fc.constant('unix'), path: text }),
);
/** Some of the fields, and always those of `required`. */
const some = <T>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }, required: (keyof T)[] = []) =>
  fc.record<T, keyof T>(model, { requiredKeys: required });
const few = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 3 });
/** Zero most of the time, as in captures. */
const rare = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: count });
const zeroWindow = some({ start: moment, end: moment, probes: count }, ['start', 'probes']);
const facts = some(
  {
    segments: count,
    bytes: count,
    retransmissions: fc.record({ rto: rare, fast: rare, spurious: rare }),
    outOfOrder: rare,
    duplicates: rare,
    dupAcks: rare,
    keepAlives: rare,
    zeroWindowProbes: rare,
    windowFull: rare,
    flights: rare,
    missingBytes: rare,
    zeroWindows: few(zeroWindow),
    fin: moment,
    rst: moment,
  },
  [
    'segments',
    'bytes',
    'retransmissions',
    'outOfOrder',
    'duplicates',
    'dupAcks',
    'keepAlives',
    'zeroWindowProbes',
    'windowFull',
    'flights',
    'missingBytes',
    'zeroWindows',
  ],
);
const http = some(
  {
    version: text,
    requests: count,
    responses: count,
    pipelined: count,
    exchanges: few(
      some({
        method: text,
        path: text,
        host: text,
        status: count,
        request: moment,
        requestEnd: moment,
        response: moment,
        responseEnd: moment,
      }),
    ),
    keepAlive: some({ timeoutSeconds: count, max: count }),
    connectionClose: peer,
    upgrade: fc.record({ to: text, at: moment }),
    http2: some({ streams: count, goAway: fc.record({ from: peer, code: count, at: moment }) }, ['streams']),
    idleGaps: fc.oneof(fc.constant([]), few(fc.record({ start: moment, idle: nanosValue }))),
  },
  ['version', 'requests', 'responses', 'pipelined', 'exchanges', 'idleGaps'],
);
const close = some({
  firstFin: peer,
  simultaneous: fc.boolean(),
  idleClose: fc.record({ by: peer, idle: nanosValue }),
  race: fc.record({ request: moment, close: moment }),
  resetAfterRequest: fc.record({ request: moment, rst: moment, by: peer }),
  gaveUp: fc.record({ waited: nanosValue, request: moment, close: moment }),
  timeWait: peer,
});
const plainClose = some({ firstFin: peer, simultaneous: fc.boolean(), timeWait: peer });
const finding = some(
  {
    rule: text,
    severity: text,
    sure: text,
    frames: few(count),
    message: text,
    evidence: few(text),
    alternatives: few(text),
    advice: text,
  },
  ['rule', 'severity', 'sure', 'frames', 'message', 'evidence'],
);
const phases = some(
  {
    synToSynAck: nanosValue,
    synToSynAckAmbiguous: fc.boolean(),
    synAckToAck: nanosValue,
    connect: nanosValue,
    tls: nanosValue,
    firstResponse: nanosValue,
    close: nanosValue,
    duration: nanosValue,
  },
  ['duration'],
);
const always = {
  id: count,
  protocol: fc.constantFrom('tcp', 'quic', 'udp'),
  client: endpoint,
  server: endpoint,
  role: fc.constantFrom(...ROLES),
  path: fc.oneof(fc.constant([]), few(text)),
  outcome: fc.constantFrom(...OUTCOMES),
  first: moment,
  last: moment,
  syn: few(moment),
  synAck: few(moment),
  phases,
  clientFacts: facts,
  serverFacts: facts,
  zeek: fc.record({ connState: text, history: text }),
  events: fc.constant([]),
  findings: few(finding),
};
const sometimes = {
  ack: moment,
  request: moment,
  response: moment,
  icmp: fc.record({ frame: count, time: nanosValue, type: count, code: count, family: fc.constant(4) }),
  simultaneousOpen: fc.boolean(),
  splitHandshake: fc.boolean(),
  reused: fc.boolean(),
  oneSided: peer,
  tls: some({ clientHello: moment, version: text, sni: text, alpnOffered: few(text), resumed: fc.boolean() }),
  http,
  quic: some({ dcid: text, sni: text, initial: moment, history: text }, ['history']),
  dns: some({ name: text, query: moment, answer: moment }, ['name', 'answer']),
  close: fc.oneof(close, plainClose),
  synSchedule: fc.record({ shape: text, stepsMs: few(nanosValue), fits: few(text) }),
  comment: text,
};
const connection = fc.record(
  { ...always, ...sometimes },
  { requiredKeys: Object.keys(always) as (keyof typeof always)[] },
) as unknown as fc.Arbitrary<TraceConnection>;
/** As nearly all are: nothing that is rare. */
const ordinary = fc
  .tuple(connection, plainClose)
  .map(
    ([{ icmp, simultaneousOpen, splitHandshake, reused, oneSided, synSchedule, comment, ...rest }, end]) => ({
      ...rest,
      close: end,
    }),
  ) as fc.Arbitrary<TraceConnection>;
const epoch = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 32 }),
  fc.constantFrom(8.64e12 - 1, 8.64e12, 8.64e12 + 1, -1, 1e300),
);

describe('the writer says what the objects say, whatever they hold', () => {
  it.each([
    ['anything', connection],
    ['ordinary connections', ordinary],
  ])('%s', (_, one) => {
    fc.assert(fc.property(fc.array(one, { maxLength: 4 }), epoch, expectSame), { numRuns: 1000 });
  });
});
