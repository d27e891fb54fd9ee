import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { inPieces, isClosed, writePieces } from '../../src/cli/output.js';

const coded = (code: string) => Object.assign(new Error(code), { code });

/** A stream that fails with `code` from its nth write on. */
const failing = (code: string, from: number) => {
  let writes = 0;
  return new Writable({
    write: (_chunk, _encoding, done) => done(++writes >= from ? coded(code) : null),
  });
};

describe('writePieces', () => {
  it('asks for the next piece only when the one before is taken', async () => {
    const log: string[] = [];
    const stream = new Writable({
      write: (chunk, _encoding, done) => {
        setTimeout(() => {
          log.push(`took ${chunk}`);
          done();
        }, 5);
      },
    });
    function* pieces() {
      for (const piece of ['a', 'b']) {
        log.push(`made ${piece}`);
        yield piece;
      }
    }
    expect(await writePieces(pieces(), stream)).toBe('done');
    expect(log).toEqual(['made a', 'took a', 'made b', 'took b']);
  });

  it('stops making pieces when the reader has left', async () => {
    let made = 0;
    function* endless() {
      for (;;) {
        made++;
        yield 'x';
      }
    }
    expect(await writePieces(endless(), failing('EPIPE', 3))).toBe('closed');
    expect(made).toBe(3);
  });

  it('throws what is no closed reader', async () => {
    await expect(writePieces(['x'], failing('ENOSPC', 1))).rejects.toThrow('ENOSPC');
    expect(isClosed(coded('ENOSPC'))).toBe(false);
  });
});

describe('inPieces', () => {
  it('joins strings to pieces of about the length, and loses none', () => {
    const pieces = [...inPieces(Array(1000).fill('0123456789'), 1024)];
    expect(pieces.join('')).toBe('0123456789'.repeat(1000));
    expect(pieces.slice(0, -1).every((piece) => piece.length >= 1024 && piece.length < 1034)).toBe(true);
    expect([...inPieces([], 10)]).toEqual([]);
  });

  it('takes no more than it gives', () => {
    let taken = 0;
    function* strings() {
      for (;;) {
        taken++;
        yield 'x'.repeat(100);
      }
    }
    const pieces = inPieces(strings(), 1000);
    pieces.next();
    expect(taken).toBe(10);
  });
});
