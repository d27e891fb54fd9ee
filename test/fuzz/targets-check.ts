import { parsePlace } from '../../src/analyze/check/selection.js';
import { parseRange } from '../../src/analyze/ranges.js';
import { ParseError } from '../../src/model/errors.js';
import { formatRange } from '../../src/model/ranges.js';
import { formatCheckState, parseCheckState } from '../../src/parse/check-state.js';
import { parseConfig } from '../../src/parse/config.js';
import { countReserved, parseSockstat } from '../../src/parse/proc/sockstat.js';
import { RecordingDecoder } from '../../src/parse/recording/decoder.js';
import { PLAIN_NAMES } from '../../src/render/names.js';
import { RecordingEncoder } from '../../src/render/recording/encoder.js';
import { listen, look, row } from '../support/table-builder.js';
import type { FuzzTarget } from './targets-parse.js';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** ParseError is an answer, everything else a fault. */
function attempt(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
  }
}

const STATE = formatCheckState({
  check: 'abc',
  bootId: 'b',
  netns: '1',
  time: 1,
  monotonic: 2,
  counters: { ListenOverflows: 3 },
  listeners: new Map([['1:2', { local: '0.0.0.0:443', cookie: '3', drops: 4 }]]),
  history: new Map([['accept-queue x', ['ok', 'critical']]]),
  told: { status: 'warning', problems: ['x'], time: 5 },
});

const CONFIG = `check:
  metrics: {accept-queue: {warning: "@70:", critical: 90}}
  port: [443, 8080]
  expect:
    - "443=nginx"
live:
  interval: 1s
`;

/** Some looks of a small host, as a recording. */
function recordingSample(): Uint8Array {
  const encoder = new RecordingEncoder(PLAIN_NAMES, '0.1.0');
  const looks = [0, 1, 2].map((second) =>
    look(
      1000 * (second + 1),
      [
        listen(
          '[fe80::1]%eth0:443',
          [second, 8],
          { inode: 1, drops: second },
          { cookie: 1, owners: [{ pid: 1, fd: 2, name: 'n' }] },
        ),
        row({
          local: '10.0.0.1:443',
          remote: '10.0.0.9:1',
          cookie: 2,
          columns: { inode: second, rttMs: 0.5 },
        }),
        listen('/run/x', [1, 8], { inode: 3 }, { protocol: 'unix' }),
      ].slice(0, 3 - (second % 2)),
      {
        counters: { A: second },
        descriptors: new Map([[1, { open: 2, limit: 3 }]]),
        sysctls: { somaxconn: 4 },
      },
    ),
  );
  const [first] = looks;
  if (first === undefined) return new Uint8Array();
  return bytesOf(
    [encoder.head(first.origin), ...looks.map((one) => encoder.encode(one))]
      .map((line) => line?.text)
      .join(''),
  );
}

function decodeAll(text: string): void {
  const decoder = new RecordingDecoder();
  for (const [index, line] of text.split('\n').entries()) {
    attempt(() => {
      const decoded = decoder.decode(line, `line ${index + 1}`);
      if (decoded?.kind !== 'observation') return;
      const observation = decoded.observation();
      if (observation.kind !== 'table') return;
      const cursor = observation.sockets.cursor();
      for (cursor.index = 0; cursor.index < observation.sockets.length; cursor.index++)
        JSON.stringify([
          cursor.local,
          cursor.remote,
          cursor.queues,
          cursor.owners,
          cursor.timer,
          cursor.cookie,
        ]);
    });
  }
}

/** What a range means survives being written. */
function rangeTwice(text: string): void {
  attempt(() => {
    const written = formatRange(parseRange(text, 'x'));
    if (formatRange(parseRange(written, 'x')) !== written) throw new Error(`${text} became ${written}`);
  });
}

export const fuzzTargets: readonly FuzzTarget[] = [
  { name: 'parse/recording', samples: () => [recordingSample()], run: (bytes) => decodeAll(textOf(bytes)) },
  {
    name: 'parse/check-state',
    samples: () => [bytesOf(STATE)],
    run: (bytes) => attempt(() => void parseCheckState(textOf(bytes))),
  },
  {
    name: 'parse/config',
    samples: () => [bytesOf(CONFIG)],
    run: (bytes) => attempt(() => void parseConfig(textOf(bytes), 'c.yaml')),
  },
  {
    name: 'parse/proc/sockstat',
    samples: () => [bytesOf('sockets: used 16\nTCP: inuse 1 orphan 0 tw 5 alloc 1 mem 85\n8080,9000-9010')],
    run: (bytes) => {
      parseSockstat(textOf(bytes));
      countReserved(textOf(bytes), [1, 65_535]);
    },
  },
  {
    name: 'check ranges and places',
    samples: () => ['@10:20', '~:5.5', '80%', '443=nginx', '[::1]:443', 'unix:/run/x'].map(bytesOf),
    run: (bytes) => {
      rangeTwice(textOf(bytes));
      attempt(() => void parsePlace(textOf(bytes), 'x', { withProcess: true }));
    },
  },
];
