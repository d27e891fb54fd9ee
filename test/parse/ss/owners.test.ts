import { describe, expect, it } from 'vitest';
import { parseText, read } from './support.js';

const ROW = 'LISTEN 0 5 127.0.0.1:80 0.0.0.0:*';

/** Owners of the only row, as the model holds them. */
function ownersOf(users: string) {
  const { sockets, gaps } = parseText(`${ROW} ${users}\n`);
  expect(gaps).toEqual([]);
  expect(sockets.length).toBe(1);
  return sockets.row(0).owners;
}

describe('owners', () => {
  it.each([
    ['users:(("nginx",pid=812,fd=6))', [{ name: 'nginx', pid: 812, fd: 6 }]],
    ['users:(("nginx",812,6))', [{ name: 'nginx', pid: 812, fd: 6 }]],
    [
      'users:(("sshd",1933,3),("sshd",1864,3))',
      [
        { name: 'sshd', pid: 1933, fd: 3 },
        { name: 'sshd', pid: 1864, fd: 3 },
      ],
    ],
    ['users:(("java",pid=7,tid=19,fd=4))', [{ name: 'java', pid: 7, fd: 4 }]],
    ['users:(("a",pid=7,proc_ctx=u:r:t:s0-s0:c0,c5,fd=4))', [{ name: 'a', pid: 7, fd: 4 }]],
    [
      'users:(("a",pid=7,tid=8,proc_ctx=u:r:t:s0,fd=4,sock_ctx=u:r:t:c1,c2),("b",pid=9,fd=5))',
      [
        { name: 'a', pid: 7, fd: 4 },
        { name: 'b', pid: 9, fd: 5 },
      ],
    ],
  ])('reads %s', (users, owners) => expect(ownersOf(users)).toEqual(owners));

  it.each([
    ['a quote', 'x"y'],
    ['an open parenthesis', '(sd-pam'],
    ['a comma and a quote', 'a","b'],
    ['nothing', ''],
    ['blanks', 'nginx: worker p'],
    ['a tab', 'tab\tx'],
    ['UTF-8', 'имя'],
    ['a key', 'fd=3'],
    ['a newline', 'new\nline'],
    ['a newline first and last', '\nx\n'],
    ['only newlines', '\n'.repeat(15)],
    ['a row', 'x\ntcp LISTEN 0'],
    ['a forged end', '",pid=1,fd=3)'],
    ['a forged end of the list', '",pid=1,fd=3))'],
    ['a forged end of the list and a blank', '",pid=1,fd=3)) '],
    ['a forged next entry', '",pid=1,fd=3),('],
    ['the end of a list', 'a)) ino:7'],
  ])('takes a name with %s as it is', (_, name) => {
    expect(ownersOf(`users:(("${name}",pid=99,fd=4)) ino:5`)).toEqual([{ name, pid: 99, fd: 4 }]);
    const two = `users:(("${name}",pid=99,fd=4),("${name}",pid=98,fd=5)) ino:5`;
    expect(ownersOf(two)).toEqual([
      { name, pid: 99, fd: 4 },
      { name, pid: 98, fd: 5 },
    ]);
  });

  it('reads on behind a name with a newline, and counts its lines', () => {
    const { rows, gaps } = read(`${ROW} users:(("a\nb",pid=1,fd=3)) ino:77 sk:1f\nbroken\n`);
    expect(rows[0]).toMatchObject({ owners: 'a\nb/1/3', inode: 77, cookie: '1f' });
    expect(gaps).toEqual([{ what: 'ss line 3', why: 'expected a socket of ss, got "broken"', line: 3 }]);
  });

  it('leaves the owners of a list that was cut off unknown, and reads the next row', () => {
    const { rows, gaps } = read(
      `${ROW} users:(("ngin\nLISTEN 0 9 127.0.0.1:81 0.0.0.0:* users:(("a",pid=1,fd=2))\n`,
    );
    expect(rows.map(({ local, owners }) => ({ local, owners }))).toEqual([
      { local: '127.0.0.1:80', owners: undefined },
      { local: '127.0.0.1:81', owners: 'a/1/2' },
    ]);
    expect(gaps).toEqual([
      { what: 'ss line 1', why: 'expected ("NAME",pid=N,fd=N), got "(\\"ngin"', line: 1 },
    ]);
  });

  it('says unknown where no owner is printed, and none for an inode of 0', () => {
    const { sockets } = parseText(`${ROW}\nESTAB 0 0 10.0.0.1:80 10.0.0.2:9 ino:0 sk:1\n`);
    expect(sockets.row(0).owners).toBeUndefined();
    expect(sockets.row(1).owners).toEqual([]);
  });
});
