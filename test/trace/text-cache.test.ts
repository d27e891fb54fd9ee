import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextCache } from '../../src/trace/text-cache.js';

const decoder = new TextDecoder('latin1');

describe('TextCache', () => {
  it('gives what TextDecoder gives, for any bytes and however often', () => {
    const cache = new TextCache();
    const some = fc.uint8Array({ maxLength: 80 });
    const few = fc.uint8Array({ maxLength: 2 }).map((bytes) => bytes.map((byte) => 0x7e + (byte & 0x23)));
    fc.assert(
      fc.property(fc.oneof(some, few), (bytes) => {
        expect(cache.text(bytes, 0, bytes.length)).toBe(decoder.decode(bytes));
        expect(cache.text(bytes, 0, bytes.length)).toBe(decoder.decode(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('reads only the part it is given', () => {
    const bytes = Buffer.from('GET /a HTTP/1.1');
    expect(new TextCache().text(bytes, 4, 6)).toBe('/a');
    expect(new TextCache().text(bytes, 4, 4)).toBe('');
  });
});
