import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Outbox } from '../../src/cli/outbox.js';

/** A slow reader that copies what it gets only when it takes it, as the kernel does. */
const slow = (taken: string[]) =>
  new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      setTimeout(() => {
        taken.push(chunk.toString());
        done();
      }, 5);
    },
  }) as unknown as NodeJS.WriteStream;

describe('Outbox', () => {
  it('leaves bytes where they are until they are taken, whoever goes on writing', async () => {
    const taken: string[] = [];
    const outbox = new Outbox(slow(taken));
    outbox.text.text('first');
    const flushed = outbox.flush();
    await Promise.resolve();
    outbox.text.text('second');
    const again = outbox.flush();
    outbox.text.text(', and more');
    await flushed;
    expect(taken).toEqual(['first']);
    await again;
    await outbox.flush();
    expect(taken.join('')).toBe('firstsecond, and more');
  });

  it('writes nothing where nothing was told', async () => {
    const taken: string[] = [];
    await new Outbox(slow(taken)).flush();
    expect(taken).toEqual([]);
  });

  it('is closed when the reader has left, and keeps nothing for it', async () => {
    const gone = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('gone'), { code: 'EPIPE' })),
    }) as unknown as NodeJS.WriteStream;
    const outbox = new Outbox(gone);
    outbox.text.text('lost');
    await outbox.flush();
    expect(outbox.closed).toBe(true);
    outbox.text.text('more');
    await outbox.flush();
    expect(outbox.text.length).toBe(0);
  });
});
