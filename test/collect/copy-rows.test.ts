import { describe, expect, it } from 'vitest';
import { copyRows } from '../../src/collect/copy-rows.js';
import { leftOutBy, troubledPorts } from '../../src/collect/troubled-ports.js';
import { SocketTable } from '../../src/model/table.js';
import { parseSs } from '../../src/parse/ss/index.js';

const SEEN = `u_str LISTEN 0 128 /run/with space.sock 55555 * 0 skmem:(r0,rb212992,t0,tb212992,f0,w0,o0,bl0,d0) <->
tcp LISTEN 2 1 127.0.0.53%lo:53 0.0.0.0:* ino:5 sk:a1 <-> skmem:(r0,rb131072,t0,tb16384,f0,w0,o0,bl0,d3)
tcp LISTEN 9 8 [::]:443 [::]:* ino:6 sk:a2 v6only:1 <-> skmem:(r0,rb131072,t0,tb16384,f0,w0,o0,bl0,d0)
tcp LISTEN 0 8 0.0.0.0:80 0.0.0.0:* ino:7 sk:a3 <-> skmem:(r0,rb131072,t0,tb16384,f0,w0,o0,bl0,d0)
tcp SYN-RECV 0 0 [fe80::1]%eth0:443 [fe80::2]:40112 timer:(on,812ms,1) ino:0 sk:0
tcp SYN-RECV 0 0 10.0.0.1:80 10.0.0.2:40113 timer:(on,812ms,0) ino:0 sk:0
`;
const { sockets } = parseSs(Buffer.from(SEEN));

const describeRow = (table: SocketTable, index: number) => {
  const { protocol, state, unixKind, local, remote, queues, inode, cookie, timer, drops } = table.row(index);
  return { protocol, state, unixKind, local, remote, queues, inode, cookie, timer, drops };
};

describe('copyRows', () => {
  it('keeps everything that is known of a row', () => {
    const copy = new SocketTable();
    // Other strings first, so that their indexes differ.
    copy.intern('something else');
    copyRows(sockets, copy, () => true);
    expect(copy.length).toBe(6);
    for (let row = 0; row < 6; row++) expect(describeRow(copy, row)).toEqual(describeRow(sockets, row));
    expect(copy.row(0).local).toEqual({ kind: 'unix', path: '/run/with space.sock' });
    expect(copy.row(1).drops).toBe(3);
  });

  it('copies only the rows that are wanted', () => {
    const copy = new SocketTable();
    copyRows(sockets, copy, leftOutBy([443], sockets));
    expect([0, 1].map((row) => `${copy.row(row).protocol} ${copy.row(row).state}`)).toEqual([
      'unix listen',
      'tcp syn-recv',
    ]);
    expect(copy.length).toBe(2);
  });
});

describe('troubledPorts', () => {
  it('names the ports of listeners whose queue is not empty, the longest first', () => {
    expect(troubledPorts(sockets)).toEqual([443, 53]);
  });

  it('names all of them', () => {
    const lines = Array.from(
      { length: 100 },
      (_, n) => `tcp LISTEN ${n + 1} 200 0.0.0.0:${n + 1000} 0.0.0.0:* ino:${n + 1} sk:${n + 1}`,
    );
    const ports = troubledPorts(parseSs(Buffer.from(`${lines.join('\n')}\n`)).sockets);
    expect(ports).toHaveLength(100);
    expect(ports[0]).toBe(1099);
  });
});
