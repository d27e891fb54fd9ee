import { describe, expect, it } from 'vitest';
import { parseSs } from '../../../src/parse/ss/index.js';
import { parseText, read, readRow } from './support.js';

const listener = (path: string, rest = '') =>
  `u_str LISTEN 1 3      ${path} 146828            * 0    ${rest}\n`;

describe('Unix sockets', () => {
  it.each([
    ['a path', '/run/a.sock'],
    ['an abstract name with blanks and NULs shown as @', '@abs tract@z'],
    ['a number', '12'],
    ['blanks and numbers', '/tmp/a 5 b 6'],
    ['the end of a row', '/tmp/x 5 * 0'],
    ['a newline', '/tmp/n\nl'],
    ['many newlines', `/${'\n'.repeat(100)}`],
    ['a row of its own', '/tmp/a\ntcp LISTEN 0'.replace('tcp', 'tcp:')],
  ])('may have %s for a path', (_, path) => {
    expect(readRow(listener(path))).toMatchObject({ local: path, inode: 146828, queues: '1 of backlog 3' });
    const full = listener(
      path,
      'users:(("x 7 * 0",pid=1,fd=3)) skmem:(r0,rb212992,t0,tb212992,f0,w0,o0,bl0,d0) <-> ino:21 dev:0/65024 peers: 1 2 3',
    );
    expect(readRow(full)).toMatchObject({
      local: path,
      inode: 146828,
      owners: 'x 7 * 0/1/3',
      memReceiveLimit: 212992,
    });
  });

  it('keep the bytes of a path that is not UTF-8', () => {
    const bytes = Buffer.from(listener('@a\xffb'), 'latin1');
    const row = parseSs(bytes).sockets.row(0);
    expect(row.local).toEqual({ kind: 'unix', path: '@a\ufffdb', hex: '4061ff62' });
  });

  it('have a peer by its inode, or none', () => {
    expect(readRow('u_dgr ESTAB 0 0 * 146832 * 146833\n')).toMatchObject({
      protocol: 'unix dgram',
      local: '',
      remote: '',
      peerInode: 146833,
    });
    const alone = readRow('u_seq UNCONN 0 0 * 146832 * 0\n');
    expect(alone).toMatchObject({ protocol: 'unix seqpacket' });
    expect(alone).not.toHaveProperty('remote');
    expect(readRow('u_str ESTAB 0 0 /run/a 7 /run/b 8\n')).toMatchObject({
      local: '/run/a',
      remote: '/run/b',
      peerInode: 8,
    });
  });

  it('of a broken row make a gap, and the next row stands', () => {
    const { rows, gaps } = read(`u_str LISTEN 0 5 /tmp/a\n${listener('/tmp/b')}`);
    expect(rows).toMatchObject([{ local: '/tmp/b' }]);
    expect(gaps).toEqual([
      { what: 'ss line 1', why: 'expected a path, an inode, a peer and its inode, got "/tmp/a"', line: 1 },
    ]);
  });

  it('stand beside others in one output', () => {
    const { sockets } = parseText(`${listener('/a')}tcp ESTAB 0 0 10.0.0.1:80 10.0.0.2:9\n`);
    expect([0, 1].map((row) => sockets.row(row).protocol)).toEqual(['unix', 'tcp']);
  });
});

describe('the sockets by which ss is being read', () => {
  const rows = (lines: readonly string[], own: readonly number[]) => {
    const text = Buffer.from(`${lines.join('\n')}\n`);
    const { sockets, gaps } = parseSs(text, { ownSockets: () => new Set(own) });
    expect(gaps).toEqual([]);
    return Array.from({ length: sockets.length }, (_, row) => sockets.row(row).inode);
  };
  const lines = [
    'u_str ESTAB  0 0 * 4711 * 4712 ino:4711 sk:1',
    'u_str ESTAB  0 0 * 4712 * 4711',
    'u_str LISTEN 0 5 /run/x.sock 4713 * 0',
    'u_str ESTAB  0 0 * 4714 * 4715',
  ];

  it('are left out with their other ends', () => {
    expect(rows(lines, [4711])).toEqual([4713, 4714]);
  });

  it('are asked for only when there is a Unix socket', () => {
    const ask = () => {
      throw new Error('asked');
    };
    expect(() =>
      parseSs(Buffer.from('tcp ESTAB 0 0 10.0.0.1:1 10.0.0.2:2\n'), { ownSockets: ask }),
    ).not.toThrow();
  });
});
