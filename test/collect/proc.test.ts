import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readDescriptors } from '../../src/collect/descriptors.js';
import { countSockets, readCounters, readProcNet, readSysctls } from '../../src/collect/proc.js';
import { listenersWith } from './support.js';

const root = mkdtempSync(join(tmpdir(), 'sw-proc-'));
afterAll(() => rmSync(root, { recursive: true }));
const write = (path: string, text: string) => {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
};

describe('reading procfs', () => {
  it('says unknown for what is not there', async () => {
    const empty = join(root, 'none');
    expect(readCounters(empty)).toBeUndefined();
    expect(readSysctls(empty)).toEqual({});
    expect(countSockets(empty)).toBeUndefined();
    await expect(readProcNet(empty, { udp: true, unix: true })).rejects.toMatchObject({
      fault: 'permission',
    });
  });

  it('counts the sockets of TCP and UDP in both families, TIME-WAIT included, once', () => {
    write(
      'self/net/sockstat',
      'sockets: used 999\nTCP: inuse 5 orphan 7 tw 11 alloc 900 mem 3\nUDP: inuse 2 mem 1\nUDPLITE: inuse 40\nRAW: inuse 80\n',
    );
    write('self/net/sockstat6', 'TCP6: inuse 3\nUDP6: inuse 1\nUDPLITE6: inuse 40\n');
    expect(countSockets(root)).toBe(5 + 11 + 2 + 3 + 1);
  });

  it('reads each setting that is there', () => {
    write('sys/net/core/somaxconn', '4096\n');
    write('sys/net/ipv4/tcp_syncookies', '1\n');
    write('sys/net/ipv4/tcp_max_syn_backlog', 'nonsense\n');
    expect(readSysctls(root)).toEqual({ somaxconn: 4096, tcpSyncookies: 1 });
  });

  it('takes the absence of IPv6 for what it is', async () => {
    write(
      'self/net/tcp',
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n' +
        '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 4242 1 0000000000000000 100 0 0 10 0\n',
    );
    const { sockets } = await readProcNet(root, { udp: true, unix: false });
    expect(sockets.length).toBe(1);
    expect(sockets.row(0).queues).toEqual({ kind: 'listener', length: 3 });
  });
});

describe('readDescriptors', () => {
  const limits = (soft: string) =>
    `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${soft}                 524288               files     \n`;
  const tableOf = (length: number, pid: number) => {
    const table = listenersWith(7);
    table.recvQueue[0] = length;
    table.attachOwners({ ownersOf: () => [{ pid, fd: 3, name: 'server' }] });
    return table;
  };

  it('reads them for owners of queues that are not empty', () => {
    write('812/limits', limits('1024'));
    write('812/fd/0', '');
    write('812/fd/1', '');
    const found = readDescriptors(tableOf(5, 812), root);
    expect(found.get(812)?.limit).toBe(1024);
    expect(found.get(812)?.open).toBeGreaterThan(0);
    expect(readDescriptors(tableOf(0, 812), root).size).toBe(0);
  });

  it('counts those whose numbers are below the limit, and the others apart', () => {
    const filesOf = (pid: number, limit: number, fds: readonly number[]) => {
      write(`${pid}/limits`, limits(String(limit)));
      for (const fd of fds) write(`${pid}/fd/${fd}`, '');
      const { open, above } = readDescriptors(tableOf(5, pid), root).get(pid) ?? {};
      return [open, above];
    };
    // A directory of no procfs has a size of its own, of bytes: the numbers are counted then too.
    expect(filesOf(815, 4, [0, 1, 2, 3, 60])).toEqual([4, 1]);
    expect(filesOf(816, 4, [0, 1, 2, 3])).toEqual([4, undefined]);
  });

  it('leaves out what has gone, and what has no limit', () => {
    expect(readDescriptors(tableOf(5, 813), root).size).toBe(0);
    write('814/limits', limits('unlimited'));
    write('814/fd/0', '');
    expect(readDescriptors(tableOf(5, 814), root).size).toBe(0);
  });

  it('counts those of this process as they are', async () => {
    const { readdirSync } = await import('node:fs');
    const found = readDescriptors(tableOf(1, process.pid), '/proc').get(process.pid);
    const counted = readdirSync('/proc/self/fd').length;
    expect(Math.abs((found?.open ?? 0) - counted)).toBeLessThanOrEqual(3);
  });
});
