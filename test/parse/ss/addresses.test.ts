import { describe, expect, it } from 'vitest';
import { parseText, read, readRow } from './support.js';

const HEADER = 'State Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n';

describe('addresses', () => {
  it.each([
    ['127.0.0.1:9501', '0.0.0.0:*', '127.0.0.1:9501', 4],
    ['0.0.0.0%lo:53', '0.0.0.0:*', '0.0.0.0%lo:53', 4],
    ['127.0.0.53%lo:53', '0.0.0.0:*', '127.0.0.53%lo:53', 4],
    ['[::]%lo:9506', '[::]:*', '[::%lo]:9506', 6],
    ['[::1]:9504', '[::]:*', '[::1]:9504', 6],
    ['[fe80::d8f5:24ff:febb:6c11]%rsv0:9511', '[::]:*', '[fe80::d8f5:24ff:febb:6c11%rsv0]:9511', 6],
    ['[fe80::1%eth0]:22', '[::]:*', '[fe80::1%eth0]:22', 6],
    ['[::ffff:10.0.0.1]:80', '[::]:*', '10.0.0.1:80', 4],
    [':::22', ':::*', '[::]:22', 6],
    ['::1:25', ':::*', '[::1]:25', 6],
    ['::ffff:10.0.0.1:80', ':::*', '10.0.0.1:80', 4],
    ['fe80::1%eth0:22', ':::*', '[fe80::1%eth0]:22', 6],
    ['[2001:db8:1:2:3:4:5:6]:443', '[::]:*', '[2001:db8:1:2:3:4:5:6]:443', 6],
  ])('reads %s', (local, peer, shown, family) => {
    const row = readRow(`LISTEN 0 5 ${local} ${peer}\n`);
    expect(row).toMatchObject({ local: shown, family });
    expect(row.remote).toBeUndefined();
  });

  it('normalises v4-mapped addresses of both ends, and maps one end again where the other is IPv6', () => {
    expect(readRow('ESTAB 0 0 [::ffff:10.0.0.1]:80 [::ffff:10.0.0.2]:4000\n')).toMatchObject({
      local: '10.0.0.1:80',
      remote: '10.0.0.2:4000',
      family: 4,
    });
    expect(readRow('ESTAB 0 0 [2001:db8::1]:80 [::ffff:10.0.0.2]:4000\n')).toMatchObject({
      remote: '[::ffff:a00:2]:4000',
      family: 6,
    });
  });

  it.each([
    '10.xx.xx.141:50094',
    '1.2.3:80',
    '1.2.3.4.5:80',
    '1.2.3.256:80',
    '1.2.3.4',
    '1.2.3.4:65536',
    '1.2.3.4:',
    '[::1:80',
    '[1:2:3]:80',
    '[1::2::3]:80',
    '[::12345]:80',
    '[::1]%:80',
    'localhost:80',
    ':80',
    '[]:80',
  ])('makes a gap of the row of %s', (address) => {
    const { rows, gaps } = read(`${HEADER}ESTAB 0 0 ${address} 10.0.0.1:80\n`);
    expect(rows).toEqual([]);
    expect(gaps).toEqual([
      {
        what: 'ss line 2',
        why: `expected a local address and port, got ${JSON.stringify(address)}`,
        line: 2,
      },
    ]);
  });

  it('says which end is broken, and passes over the details of that row', () => {
    const { rows, gaps } = read(
      `ESTAB 0 0 10.0.0.1:80 10.yy.yy.1:9\n\t skmem:(r1,rb2)\nESTAB 0 0 10.0.0.1:80 10.0.0.2:9\n`,
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]).not.toHaveProperty('memReceive');
    expect(gaps[0]?.why).toBe('expected a remote address and port, got "10.yy.yy.1:9"');
  });

  it('finds the port of a name in the services, and keeps the name where they lack it', () => {
    const services = new Map([
      ['https/tcp', 443],
      ['domain/udp', 53],
    ]);
    const text =
      'Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port\ntcp ESTAB 0 0 10.0.0.4:57548 23.51.2.3:https\nudp UNCONN 0 0 10.0.0.4:domain 0.0.0.0:*\ntcp ESTAB 0 0 10.0.0.4:x11-1 23.51.2.3:9\n';
    const { sockets } = parseText(text, { services });
    const [https, domain, x11] = [0, 1, 2].map((row) => sockets.row(row));
    expect(https?.remote).toEqual({
      kind: 'ip',
      address: { family: 4, words: [0, 0, 0, 0x17330203] },
      port: 443,
    });
    expect(domain?.local).toMatchObject({ port: 53 });
    expect(x11?.local).toMatchObject({ portName: 'x11-1' });
    expect(x11?.local).not.toHaveProperty('port');
  });
});

describe('the wildcard that ss prints as a star', () => {
  const listen = (address: string, peer = '*:*') => `LISTEN     0      128    ${address}    ${peer}\n`;
  const OLD_HEADER = 'State      Recv-Q Send-Q Local Address:Port    Peer Address:Port\n';

  it.each([
    ['an IPv6 address without brackets', OLD_HEADER + listen('*:22') + listen(':::22', ':::*')],
    ['old owners', `${listen('*:22')}LISTEN 0 5 *:80 *:* users:(("a",1,2))\n`],
    ['a header without Process and nothing else', OLD_HEADER + listen('*:22')],
  ])('is 0.0.0.0 with %s', (_, text) => {
    expect(read(text).rows[0]).toMatchObject({ local: '0.0.0.0:22', family: 4 });
    expect(read(text).rows[0]).not.toHaveProperty('flags');
  });

  it.each([
    ['brackets', OLD_HEADER + listen('*:22') + listen('[::1]:80', '[::]:*')],
    ['a 0.0.0.0', OLD_HEADER + listen('*:22') + listen('0.0.0.0:80', '0.0.0.0:*')],
    ['a Process column', HEADER + listen('*:22')],
    ['a cgroup', `${OLD_HEADER}LISTEN 0 128 *:22 *:* ino:1 sk:2 cgroup:/a <->\n`],
    ['no header', listen('*:22')],
  ])('is dual stack with %s', (_, text) => {
    expect(read(text).rows[0]).toMatchObject({ local: '[::]:22', family: 6, flags: 'localDualStack' });
  });

  it('is what v6only says, whatever the age of ss', () => {
    const text = `${OLD_HEADER}${listen('*:22')}LISTEN 0 128 :::23 :::* ino:1 sk:2 v6only:0\nLISTEN 0 1 :::24 :::* ino:1 sk:2 v6only:1\n`;
    expect(read(text).rows.map(({ local, flags }) => [local, flags])).toEqual([
      ['0.0.0.0:22', undefined],
      ['[::]:23', 'localDualStack'],
      ['[::]:24', 'v6only'],
    ]);
  });

  it('may be bound to a device, and stand on a UDP socket', () => {
    const rows = read('tcp LISTEN 0 1 *%lo:80 *:*\nudp UNCONN 0 0 *:9509 *:*\n').rows;
    expect(rows.map(({ local, flags }) => [local, flags])).toEqual([
      ['[::%lo]:80', 'localDualStack'],
      ['[::]:9509', 'localDualStack'],
    ]);
  });

  it('tells a new [::] to be IPv6 only, and says nothing of an old one', () => {
    expect(readRow('LISTEN 0 1 [::]:80 [::]:*\n').flags).toBe('v6only');
    expect(readRow('LISTEN 0 1 :::80 :::*\n').flags).toBeUndefined();
  });
});
