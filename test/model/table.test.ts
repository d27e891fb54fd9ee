import { describe, expect, it } from 'vitest';
import { formatEndpoint } from '../../src/model/endpoint.js';
import { PROTOCOLS, SOCKET_STATES, type SocketState } from '../../src/model/sockets.js';
import { SocketTable } from '../../src/model/table.js';

function addTcp(table: SocketTable, state: SocketState, recv = 0, send = 0): number {
  const row = table.append();
  table.protocol[row] = PROTOCOLS.indexOf('tcp');
  table.state[row] = SOCKET_STATES.indexOf(state);
  table.family[row] = 4;
  table.recvQueue[row] = recv;
  table.sendQueue[row] = send;
  table.setFlag(row, 'queues');
  return row;
}

describe('the socket table', () => {
  it('keeps every row while it grows', () => {
    const table = new SocketTable();
    for (let index = 0; index < 1000; index++) {
      const row = addTcp(table, 'established', index);
      if (index % 7 === 0) table.set('inode', row, index);
      table.localAddress[row * 4 + 3] = index;
    }
    expect(table.length).toBe(1000);
    expect(table.row(999).queues).toEqual({ kind: 'stream', unread: 999, unacked: 0 });
    expect(table.row(994).inode).toBe(994);
    expect(table.row(995).inode).toBeUndefined();
    expect(table.localAddress[999 * 4 + 3]).toBe(999);
  });

  it('tells connections on a listener from bytes on a stream, and a missing limit from zero', () => {
    const table = new SocketTable();
    const limited = addTcp(table, 'listen', 129, 128);
    const unlimited = addTcp(table, 'listen', 3, 0);
    table.setFlag(unlimited, 'limitUnknown');
    expect(table.row(limited).queues).toEqual({ kind: 'listener', length: 129, backlog: 128 });
    expect(table.row(unlimited).queues).toEqual({ kind: 'listener', length: 3 });
  });

  it('shows unknown as undefined: queues, inode, drops, timer, owners, cookie', () => {
    const table = new SocketTable();
    const row = table.row(table.append());
    expect([row.queues, row.inode, row.drops, row.timer, row.owners, row.cookie]).toEqual(
      Array(6).fill(undefined),
    );
  });

  it('asks for owners by inode only where a row has one, and knows that inode 0 has none', () => {
    const table = new SocketTable();
    const [owned, waiting, unknown] = [
      addTcp(table, 'established'),
      addTcp(table, 'established'),
      addTcp(table, 'established'),
    ];
    table.set('inode', owned, 7);
    table.set('inode', waiting, 0);
    const asked: number[] = [];
    table.attachOwners({
      ownersOf: (inode) => {
        asked.push(inode);
        return [{ pid: 1, fd: 2, name: 'init' }];
      },
    });
    expect(table.row(owned).owners).toEqual([{ pid: 1, fd: 2, name: 'init' }]);
    expect(table.row(waiting).owners).toEqual([]);
    expect(table.row(unknown).owners).toBeUndefined();
    expect(asked).toEqual([7]);
  });

  it('calls a connection waiting only with inode 0, in ESTAB or CLOSE-WAIT, and not a subflow of MPTCP', () => {
    const table = new SocketTable();
    const waitingIn = (state: SocketState, inode?: number) => {
      const row = addTcp(table, state);
      if (inode !== undefined) table.set('inode', row, inode);
      return table.row(row).isWaiting;
    };
    expect(waitingIn('established', 0)).toBe(true);
    expect(waitingIn('close-wait', 0)).toBe(true);
    expect(waitingIn('established', 5)).toBe(false);
    expect(waitingIn('fin-wait-1', 0)).toBe(false);
    expect(waitingIn('established')).toBeUndefined();
    const subflow = addTcp(table, 'established');
    table.set('inode', subflow, 0);
    table.setFlag(subflow, 'mptcpSubflow');
    expect(table.row(subflow).isWaiting).toBe(false);
  });

  it('forgets a row that is taken back', () => {
    const table = new SocketTable();
    const row = addTcp(table, 'listen', 5, 5);
    table.set('inode', row, 9);
    table.dropLast();
    const next = table.row(table.append());
    expect([next.inode, next.queues, next.protocol]).toEqual([undefined, undefined, 'tcp']);
  });

  it('prints cookies of more than 32 bits as ss does', () => {
    const table = new SocketTable();
    const row = addTcp(table, 'established');
    table.cookieHigh[row] = 0xffff8800;
    table.cookieLow[row] = 0x0000abcd;
    table.setFlag(row, 'cookie');
    expect(table.row(row).cookie).toBe('ffff88000000abcd');
  });
});

describe('endpoints', () => {
  const words = [0, 0, 0, 0] as const;
  it.each([
    [{ kind: 'ip', address: { family: 4, words }, port: 443 }, '0.0.0.0:443'],
    [{ kind: 'ip', address: { family: 6, words }, port: 443, dualStack: true }, '[::]:443'],
    [
      { kind: 'ip', address: { family: 6, words: [0xfe800000, 0, 0, 1] }, port: 22, device: 'eth0' },
      '[fe80::1%eth0]:22',
    ],
    [
      { kind: 'ip', address: { family: 4, words: [0, 0, 0, 0x7f000035] }, port: 53, device: 'lo' },
      '127.0.0.53%lo:53',
    ],
    [{ kind: 'ip', address: { family: 4, words } }, '0.0.0.0:*'],
    [{ kind: 'ip', address: { family: 4, words }, portName: 'http' }, '0.0.0.0:http'],
    [{ kind: 'unix', path: '@abs tract@z' }, '@abs tract@z'],
  ] as const)('prints %j as %s', (endpoint, text) => {
    expect(formatEndpoint(endpoint)).toBe(text);
  });
});

describe('tables put together', () => {
  it('keep the texts of their rows, whatever number each table gave them', () => {
    const made = (...texts: readonly (string | undefined)[]) => {
      const table = new SocketTable();
      for (const text of texts) {
        const row = table.append();
        if (text !== undefined) table.setNote(row, 'congestion', text);
      }
      return table;
    };
    const joined = SocketTable.join([
      made('cubic', undefined),
      made('bbr', 'cubic', 'reno'),
      made(undefined),
    ]);
    const texts = Array.from({ length: joined.length }, (_, row) => joined.note(row, 'congestion'));
    expect(texts).toEqual(['cubic', undefined, 'bbr', 'cubic', 'reno', undefined]);
  });
});
