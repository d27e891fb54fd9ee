import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLOSE_KINDS } from '../../../src/model/closed.js';
import { formatEndpoint } from '../../../src/model/endpoint.js';
import { ParseError } from '../../../src/model/errors.js';
import { ClosedParser, parseClosed, wireOf } from '../../../src/parse/netlink/index.js';
import { fixtureDir } from '../golden.js';
import { readable } from '../readable.js';
import { messagesOf, withBytesChanged, withSizesChanged } from './support.js';

const bytes = new Uint8Array(readFileSync(`${fixtureDir}netlink/linux-6.18-closed.bin`));

interface Done {
  readonly what: string;
  readonly client: number;
  readonly server: number;
}
const done = readFileSync(`${fixtureDir}netlink/linux-6.18-closed.ndjson`, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Done);

const { sockets, unconnected, failedConnects, gaps } = parseClosed(bytes);
const rows = Array.from({ length: sockets.length }, (_, index) => sockets.row(index));
const kindOf = (index: number) => CLOSE_KINDS[sockets.get('closeKind', index) ?? -1];

/** What was told of one end of a connection, in the family of the n-th of its kind. */
function told(what: string, side: 'client' | 'server', nth: 0 | 1) {
  const ports = done.filter((one) => one.what === what)[nth];
  const host = nth === 0 ? '127.0.0.1' : '[::1]';
  const [own, far] = side === 'client' ? [ports?.client, ports?.server] : [ports?.server, ports?.client];
  const row = rows.find(
    ({ local, remote }) =>
      remote !== undefined &&
      formatEndpoint(local) === `${host}:${own}` &&
      formatEndpoint(remote) === `${host}:${far}`,
  );
  return (
    row && {
      kind: kindOf(row.index),
      row,
      number: (name: Parameters<typeof row.number>[0]) => row.number(name),
    }
  );
}

describe.each([0, 1] as const)('recorded ends of connections, family %d', (nth) => {
  it.each(['client first', 'server first', 'idle'])('%s: bytes of both sides, with SYN and FIN', (what) => {
    const [client, server] = [told(what, 'client', nth), told(what, 'server', nth)];
    for (const end of [client, server]) {
      expect(end?.kind).toBe('connection');
      expect(end?.row.state).toBe('close');
      expect(end?.row.protocol).toBe('tcp');
      // Nothing of this is told of a socket that has ended.
      expect(end?.row.owners).toBeUndefined();
      expect(end?.number('inode')).toBeUndefined();
      expect(end?.row.queues).toBeUndefined();
      expect(end?.row.cookie).toMatch(/^[0-9a-f]+$/);
      expect(end?.number('rttMs')).toBeGreaterThan(0);
    }
    expect(client?.number('bytesSent')).toBe(10);
    expect(client?.number('bytesAcked')).toBe(12);
    expect(server?.number('bytesSent')).toBe(20);
    expect(server?.number('bytesAcked')).toBe(21);
  });

  it('tells how long it was idle', () => {
    for (const side of ['client', 'server'] as const) {
      const end = told('idle', side, nth);
      expect(end?.number('lastSentMs')).toBeGreaterThanOrEqual(390);
      expect(end?.number('lastReceivedMs')).toBeLessThan(600);
    }
  });

  it('a connection that carried nothing has no bytes, and an age all the same', () => {
    const client = told('without data', 'client', nth);
    expect(client?.number('bytesSent')).toBeUndefined();
    expect(client?.number('dataSegmentsIn')).toBeUndefined();
    expect(client?.number('lastSentMs')).toBeGreaterThanOrEqual(90);
  });

  it('one that was refused is an attempt, without ages that mean nothing', () => {
    const client = told('refused', 'client', nth);
    expect(client?.kind).toBe('attempt');
    expect(client?.number('segmentsIn')).toBe(1);
    for (const age of ['lastSentMs', 'lastReceivedMs', 'lastAckMs'] as const)
      expect(client?.number(age)).toBeUndefined();
  });

  it('one that this side aborted keeps its own port only', () => {
    const family = nth === 0 ? 4 : 6;
    const aborted = rows.filter(
      ({ index, local }) =>
        kindOf(index) === 'aborted' && local.kind === 'ip' && local.address.family === family,
    );
    const ports = aborted.map(({ local }) => (local.kind === 'ip' ? local.port : undefined));
    expect(ports).toEqual([
      done.filter(({ what }) => what === 'client aborts')[nth]?.client,
      done.filter(({ what }) => what === 'server aborts')[nth]?.server,
    ]);
    expect(aborted.map(({ remote }) => remote?.kind === 'ip' && remote.port)).toEqual([undefined, undefined]);
    expect(told('server aborts', 'client', nth)?.kind).toBe('connection');
  });
});

it('counts what was no connection: the listener, and connects without a destination', () => {
  expect({ unconnected, failedConnects, gaps }).toEqual({ unconnected: 2, failedConnects: 2, gaps: [] });
  expect(rows).toHaveLength(2 * (7 + 7 + 1));
});

describe('messages that are broken', () => {
  const messages = messagesOf(bytes);

  /** Every row can be shown, and there are no more than the bytes hold. */
  function attempt(some: Uint8Array): void {
    try {
      const batch = parseClosed(some);
      readable({ sockets: batch.sockets, gaps: batch.gaps });
      const number = batch.sockets.length + batch.unconnected + batch.failedConnects;
      expect(number).toBeLessThanOrEqual(some.length / 88);
      expect(batch.gaps.length).toBeLessThanOrEqual(1);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
  }

  it('every prefix is all of its whole messages, or a ParseError', () => {
    for (let length = 0; length < bytes.length; length += 4) {
      const whole = messages.filter(({ at, size }) => at + size <= length).length;
      const parser = new ClosedParser();
      parser.read(wireOf(bytes.slice(0, length)), length);
      const batch = parser.end();
      if (batch.sockets.length + batch.unconnected + batch.failedConnects !== whole)
        throw new Error(`${length} bytes: not ${whole} messages`);
      if (whole === 0 && length >= 16) expect(() => parseClosed(bytes.slice(0, length))).toThrow(ParseError);
    }
  });

  it('any bytes changed', () => {
    fc.assert(fc.property(withBytesChanged(bytes), attempt), { numRuns: 200 });
  });

  it('any words changed to sizes that lie', () => {
    fc.assert(fc.property(withSizesChanged(bytes), attempt), { numRuns: 200 });
  });

  it('any bytes at all', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), attempt));
  });
});
