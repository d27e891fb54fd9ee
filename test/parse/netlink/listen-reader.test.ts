import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readListeners } from '../../../src/analyze/listeners.js';
import { formatEndpoint } from '../../../src/model/endpoint.js';
import { ParseError } from '../../../src/model/errors.js';
import { type DumpName, parseDump } from '../../../src/parse/netlink/index.js';
import { type ListenReader, parseListeners } from '../../../src/parse/netlink/listen-reader.js';
import { messagesOf, recorded } from './support.js';

const NAMES = ['tcp4', 'tcp6', 'unix'] as const satisfies readonly DumpName[];

/** With a look that nobody is at, all that were seen came or went: so each is told, with its name. */
function tell(reader: ReadonlyReader) {
  reader.book.open(1);
  return reader.book.take();
}
type ReadonlyReader = Pick<ListenReader, 'book'>;

/** `undefined`: a ParseError. */
function attempt(bytes: Uint8Array, name: DumpName): number | undefined {
  try {
    const told = tell(parseListeners(bytes, name, '1'));
    for (const { local, key, peak } of told) {
      expect(local === undefined ? '' : formatEndpoint(local)).toBeTypeOf('string');
      expect(key).toMatch(/^1:\w+$/);
      expect(peak).toBeGreaterThanOrEqual(0);
    }
    expect(told.length).toBeLessThanOrEqual(bytes.length / (name === 'unix' ? 32 : 88));
    return told.length;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

describe.each(NAMES)('listeners in a recorded answer: %s', (name) => {
  const bytes = recorded(name);

  it('are those of the table, with the same keys, lengths, limits and drops', () => {
    const table = parseDump(bytes, name).sockets;
    const listeners = readListeners(table, { netns: '4026531840' }).map(({ key, local, acceptQueue }) => [
      key,
      formatEndpoint(local),
      acceptQueue.length,
      acceptQueue.backlog,
    ]);
    const sampled = tell(parseListeners(bytes, name, '4026531840')).map(({ key, local, peak, backlog }) => [
      key,
      local && formatEndpoint(local),
      peak,
      backlog,
    ]);
    expect(listeners.length).toBeGreaterThan(0);
    expect(sampled.sort()).toEqual(listeners.sort());
  });

  it('every prefix gives listeners or a ParseError', () => {
    const [first] = messagesOf(bytes);
    for (let length = 0; length < bytes.length; length++) attempt(bytes.slice(0, length), name);
    expect(attempt(bytes.slice(0, (first?.size ?? 0) - 1), name)).toBeUndefined();
    expect(attempt(bytes, name)).toBeGreaterThan(0);
  });

  it('any bytes or words changed: listeners or a ParseError', () => {
    const size = fc.oneof(fc.constantFrom(0, 1, 4, 15, 16, 0xffff, 0x7fffffff, 0xffffffff), fc.nat(600));
    const byte = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    const word = fc.tuple(fc.nat(bytes.length / 4 - 1), size);
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 6 }), fc.array(word, { maxLength: 3 }), (some, words) => {
        const copy = bytes.slice();
        for (const [at, value] of some) copy[at] = value;
        for (const [at, value] of words) new DataView(copy.buffer).setUint32(at * 4, value, true);
        attempt(copy, name);
      }),
      { numRuns: 300 },
    );
  });
});

it('any bytes at all: listeners or a ParseError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(...NAMES), (bytes, name) => {
      attempt(bytes, name);
    }),
  );
});

it('a refusal is a ParseError that says the errno', () => {
  const view = new DataView(new ArrayBuffer(36));
  for (const [at, word] of [36, 2, 9, 0].entries()) view.setUint32(at * 4, word, true);
  view.setInt32(16, -13, true);
  expect(() => parseListeners(new Uint8Array(view.buffer), 'tcp4')).toThrow('errno 13');
});
