import { describe, expect, it } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../../src/analyze/thresholds.js';
import { ParseError } from '../../../src/model/errors.js';
import type { Observation } from '../../../src/model/observation.js';
import { RecordingDecoder } from '../../../src/parse/recording/decoder.js';
import { toSnapshotJson } from '../../../src/render/json.js';
import { PLAIN_NAMES } from '../../../src/render/names.js';
import { RecordingEncoder } from '../../../src/render/recording/encoder.js';
import { Pseudonyms } from '../../../src/render/redact.js';
import { startWatch, step } from '../../../src/watch/step.js';
import { all, DB, HOST, into, WEB } from '../../support/namespaces.js';
import { listen } from '../../support/table-builder.js';

const OWNER = { pid: 812, fd: 6, name: 'nginx' };
const listener = (inode: number, length = 0) =>
  listen('0.0.0.0:443', [length, 9], { inode }, { owners: [OWNER] });
const homes = new Map([
  [812, { container: { id: 'b'.repeat(64), name: 'proxy', runtime: 'docker' as const } }],
]);
const gap = {
  kind: 'gap' as const,
  origin: into(WEB, 2000, []).origin,
  gaps: [{ what: 'sockets', why: 'no answer in time' }],
  fault: 'timeout',
  remedy: 'raise --timeout',
  namespace: WEB,
};

/** What a watch saw: a namespace comes, one cannot be read, one goes. */
const LOOKS: readonly Observation[] = [
  all(0, [into(HOST, 0, [listener(1)], { counters: { PassiveOpens: 1 } }), into(WEB, 0, [listener(2)])], {
    gaps: [{ what: 'namespaces', why: '3 namespaces of other users could not be entered' }],
  }),
  all(1000, [
    into(HOST, 1000, [listener(1, 3)], { counters: { PassiveOpens: 4 } }),
    into(WEB, 1000, [listener(2)]),
    into(DB, 1000, [listener(3, 10)], { homes, sysctls: { somaxconn: 128 } }),
  ]),
  all(2000, [
    into(HOST, 2000, [], { counters: { PassiveOpens: 4 } }),
    gap,
    into(DB, 2000, [listener(3, 10)], { homes, sysctls: { somaxconn: 128 } }),
  ]),
  all(3000, [
    into(HOST, 3000, [], { counters: { PassiveOpens: 9 } }),
    into(DB, 3000, [listener(4)], { homes: new Map(), sysctls: { somaxconn: 128 } }),
  ]),
];

function record(
  looks: readonly Observation[],
  names = PLAIN_NAMES as Pseudonyms | typeof PLAIN_NAMES,
): string[] {
  const encoder = new RecordingEncoder(names, '0.1.0');
  const [first] = looks;
  if (first === undefined) return [];
  return [encoder.head(first.origin).text, ...looks.map((one) => encoder.encode(one)?.text ?? '')];
}

function replay(lines: readonly string[]): Observation[] {
  const decoder = new RecordingDecoder();
  return lines.flatMap((line, at) => {
    const decoded = decoder.decode(line, `line ${at + 1}`);
    return decoded.kind === 'observation' ? [decoded.observation()] : [];
  });
}

/** Everything that outputs show, look after look; only the source is another. */
function shown(looks: readonly Observation[]): unknown[] {
  let state = startWatch({ thresholds: DEFAULT_THRESHOLDS });
  return looks.map((one) => {
    const next = step(state, one);
    state = next.state;
    const { source: _, ...said } = toSnapshotJson(next.report);
    return { said, events: next.report.events };
  });
}

describe('a recording of several namespaces', () => {
  it('gives the same reports when it is replayed, with names, homes, counters, gaps and events', () => {
    const lines = record(LOOKS);
    expect(lines).toHaveLength(LOOKS.length + 1);
    const replayed = shown(replay(lines));
    expect(replayed).toEqual(shown(LOOKS));
    expect(JSON.stringify(replayed)).toContain('"container":"proxy"');
    expect(JSON.stringify(replayed)).toContain('netns web');
  });

  it('tells names once, not with each look', () => {
    const text = record(LOOKS).join('');
    expect(text.split('"names":{"name":"web","unit":"web.service"}')).toHaveLength(2);
  });

  it('of one namespace alone holds its names too, also where it is another than at the beginning', () => {
    const looks = [into(WEB, 0, [listener(1)]), into({ ...WEB, id: '205' }, 1000, [listener(2)])];
    expect(shown(replay(record(looks)))).toEqual(shown(looks));
  });

  it('holds all containers of one that several share, and redacted none of their names', () => {
    const containers = [
      { id: 'c'.repeat(64), name: 'cart', runtime: 'podman' as const },
      { id: 'd'.repeat(64) },
    ];
    const looks = [
      all(0, [into(HOST, 0, []), into({ id: '103', name: 'pod', containers }, 0, [listener(5)])]),
    ];
    const replayed = shown(replay(record(looks)));
    expect(replayed).toEqual(shown(looks));
    expect(JSON.stringify(replayed)).toContain('"container":"cart"');
    const text = record(looks, new Pseudonyms(undefined, true)).join('');
    for (const name of ['cart', 'cccc', 'dddd']) expect(text).not.toContain(name);
  });

  it('redacted has no names, and the same ones for the same', () => {
    const text = record(LOOKS, new Pseudonyms(undefined, true)).join('');
    for (const name of ['"web"', 'web.service', '"db"', 'proxy', 'aaaa', 'bbbb', 'nginx', 'p1'])
      expect(text).not.toContain(name);
    expect(text).toContain('"name":"netns-1"');
    expect(text).toContain('"name":"host"');
  });

  it.each([
    ['parts that are no list', { parts: 7 }],
    ['a part that is no object', { parts: [7] }],
    ['a part without an id', { parts: [{ scope: 'all', rows: [] }] }],
    ['names that are no object', { parts: [{ netns: '1', names: 7, scope: 'all', rows: [] }] }],
    ['a name that is no text', { parts: [{ netns: '1', names: { name: 7 }, scope: 'all', rows: [] }] }],
    [
      'a container without an id',
      { parts: [{ netns: '1', names: { container: {} }, scope: 'all', rows: [] }] },
    ],
    [
      'containers that are no list',
      { parts: [{ netns: '1', names: { containers: 7 }, scope: 'all', rows: [] }] },
    ],
    ['a home that is none', { parts: [{ netns: '1', homes: [[1, 'x']], scope: 'all', rows: [] }] }],
    ['too many of them', { parts: Array.from({ length: 100_001 }, () => 0) }],
  ])('%s is an error that says where', (_, fields) => {
    const [head = ''] = record(LOOKS);
    const decoder = new RecordingDecoder();
    decoder.decode(head, 'line 1');
    const line = JSON.stringify({ k: 'key', t: 1, m: 1, n: 0, source: 'netlink', took_ms: 1, ...fields });
    expect(() => decoder.decode(line, 'line 2')).toThrow(ParseError);
    expect(() => decoder.decode(line, 'line 2')).toThrow(/^line 2/);
  });

  it('every prefix of a line is a result or an error', () => {
    const [head = '', first = ''] = record(LOOKS);
    for (let length = 0; length < first.length; length++) {
      const decoder = new RecordingDecoder();
      decoder.decode(head, 'line 1');
      try {
        decoder.decode(first.slice(0, length), 'line 2');
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError);
      }
    }
  });
});
