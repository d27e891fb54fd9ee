import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../../../src/model/errors.js';
import { DUMPS, type DumpName, parseDump } from '../../../src/parse/netlink/index.js';
import { readable } from '../readable.js';
import { messagesOf, recorded, withBytesChanged, withSizesChanged } from './support.js';

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
    fc.assert(
      fc.property(withBytesChanged(bytes), (changed) => {
        attempt(changed, name);
      }),
      { numRuns: 200 },
    );
  });

  it('any words changed to sizes that lie', () => {
    fc.assert(
      fc.property(withSizesChanged(bytes), (changed) => {
        attempt(changed, name);
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
