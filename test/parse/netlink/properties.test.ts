import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../../../src/model/errors.js';
import { DUMPS, type DumpName, parseDump } from '../../../src/parse/netlink/index.js';
import { readable } from '../readable.js';
import { messagesOf, recorded } from './support.js';

const LEAST: Readonly<Record<'inet' | 'unix', number>> = { inet: 88, unix: 32 };
const leastOf = (name: DumpName) => LEAST[name === 'unix' ? 'unix' : 'inet'];

/** Every row can be shown, and there are no more than the bytes hold; `undefined`: a ParseError. */
function attempt(bytes: Uint8Array, name: DumpName): number | undefined {
  try {
    const result = parseDump(bytes, name);
    const { rows } = readable(result);
    expect(rows.length).toBeLessThanOrEqual(bytes.length / leastOf(name));
    expect(result.gaps.length).toBeLessThanOrEqual(3);
    return rows.length;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

/** 0 where they are no dump. */
function rowsIn(bytes: Uint8Array, name: DumpName): number {
  try {
    return parseDump(bytes, name).sockets.length;
  } catch (error) {
    if (error instanceof ParseError) return 0;
    throw error;
  }
}

describe.each(DUMPS)('%s', (name) => {
  const bytes = recorded(name);

  it('every prefix is a table or a ParseError, and a whole message is never lost', () => {
    const messages = messagesOf(bytes);
    for (let length = 0; length < bytes.length; length++) {
      const whole = messages.filter(({ at, size }) => at + size <= length).length;
      if (rowsIn(bytes.slice(0, length), name) !== whole)
        throw new Error(`${length} bytes: not ${whole} rows`);
    }
  });

  it('any bytes changed: a table or a ParseError', () => {
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const copy = bytes.slice();
        for (const [at, value] of changes) copy[at] = value;
        attempt(copy, name);
      }),
      { numRuns: 200 },
    );
  });

  it('any words changed to sizes that lie', () => {
    const size = fc.oneof(fc.constantFrom(0, 1, 3, 4, 15, 16, 0xffff, 0x7fffffff, 0xffffffff), fc.nat(600));
    const change = fc.tuple(fc.nat(bytes.length / 4 - 1), size);
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const copy = bytes.slice();
        for (const [word, value] of changes) new DataView(copy.buffer).setUint32(word * 4, value, true);
        attempt(copy, name);
      }),
      { numRuns: 200 },
    );
  });
});

it('any bytes at all: a table or a ParseError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(...DUMPS), (bytes, name) => {
      attempt(bytes, name);
    }),
  );
});
