import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dumpsFor, NetlinkSource } from '../../src/collect/netlink.js';
import { observeOnce } from '../../src/collect/observe.js';
import type { CollectOptions } from '../../src/collect/options.js';
import { type DumpName, STATE_BITS } from '../../src/parse/netlink/index.js';
import { type Behaviour, FakeSocket } from './fake-socket.js';
import { OPTIONS } from './support.js';

const ENOENT = 2;
const EINVAL = 22;
const EOPNOTSUPP = 95;
const ENOBUFS = 105;
/** Recorded TCP rows are subflows of MPTCP. */
const SUBFLOWS_ONLY = [
  {
    what: 'MPTCP connections that wait',
    why: 'this kernel cannot list MPTCP sockets: load mptcp_diag (modprobe)',
  },
];
const WANTED = { ...OPTIONS, source: 'netlink', scope: 'all', udp: true, unix: true } as const;

async function lookAt(behaviour: Behaviour, options: Partial<CollectOptions> = {}) {
  const socket = new FakeSocket(behaviour);
  const source = new NetlinkSource(
    { ...WANTED, ...options },
    { proc: '/proc', openDiagSocket: async () => socket },
  );
  const look = () => source.look('complete', [], { mayBlock: true });
  return { socket, look };
}

describe('sock_diag', () => {
  it('is asked for one table after the other, through one socket', async () => {
    const { socket, look } = await lookAt({});
    const { sockets, gaps } = await look();
    const tcp = ['tcp4', 'tcp6', 'mptcp4', 'mptcp6'];
    // At the end once more for the lengths of queues.
    expect(socket.asked).toEqual([...tcp, 'udp4', 'udp6', 'unix', ...tcp]);
    expect(sockets.length).toBe(81);
    expect(gaps).toEqual([]);
    expect((await look()).sockets.length).toBe(81);
    expect(socket.closed).toBe(0);
  });

  it('names devices by their number', async () => {
    const { sockets } = await (await lookAt({})).look();
    expect(sockets.strings).toContain('dev3');
  });

  it('without MPTCP or IPv6 has no such sockets; without UDP or Unix says what to load', async () => {
    const refuses = {
      mptcp4: ENOENT,
      mptcp6: ENOENT,
      tcp6: ENOENT,
      udp6: ENOENT,
      udp4: ENOENT,
      unix: ENOENT,
    };
    const { gaps, sockets } = await (await lookAt({ refuses })).look();
    expect(gaps).toEqual([
      {
        what: 'UDP sockets of IPv4',
        why: 'this kernel cannot list them: load udp_diag (modprobe); read from /proc/net, which has no memory',
      },
      {
        what: 'Unix sockets',
        why: 'this kernel cannot list them: load unix_diag (modprobe); read from /proc/net, which has no queues and no limits',
      },
      ...SUBFLOWS_ONLY,
    ]);
    // As ss does, from /proc/net: those of this machine, not the recorded ones.
    const rows = Array.from({ length: sockets.length }, (_, index) => sockets.row(index));
    const paths = rows.flatMap(({ protocol, local }) =>
      protocol === 'unix' && local.kind === 'unix' ? [local.path] : [],
    );
    const own = readFileSync('/proc/net/unix', 'utf8');
    expect(paths.length).toBeGreaterThan(0);
    expect(paths.every((path) => own.includes(path))).toBe(true);
  });

  it('without Unix sockets lists the wanted ones of /proc/net only', async () => {
    const { look } = await lookAt({ refuses: { unix: ENOENT } }, { scope: 'listeners' });
    const { sockets } = await look();
    const rows = Array.from({ length: sockets.length }, (_, index) => sockets.row(index));
    const states = new Set(rows.filter(({ protocol }) => protocol === 'unix').map(({ state }) => state));
    expect([...states].every((state) => state === 'listen' || state === 'established')).toBe(true);
  });

  it('without tcp_diag says what to load', async () => {
    const { look } = await lookAt({ refuses: { tcp4: ENOENT } });
    await expect(look()).rejects.toMatchObject({
      fault: 'missing',
      message: 'this kernel cannot list TCP sockets: tcp_diag is not loaded',
      remedy: expect.stringContaining('modprobe tcp_diag'),
    });
  });

  it('that refuses something else is a gap, but for TCP an error', async () => {
    const { gaps } = await (await lookAt({ refuses: { mptcp4: 1 } })).look();
    expect(gaps).toEqual([
      { what: 'MPTCP sockets of IPv4', why: 'the kernel refused to list them (errno 1)' },
    ]);
    const { socket, look } = await lookAt({ refuses: { tcp4: 1 } });
    await expect(look()).rejects.toMatchObject({
      fault: 'permission',
      message: 'could not list the TCP sockets: it is not allowed here (errno 1)',
    });
    expect(socket.closed).toBe(1);
  });

  it('without MPTCP, as old kernels say it, is asked for it once', async () => {
    for (const errno of [EINVAL, EOPNOTSUPP]) {
      const { socket, look } = await lookAt({ refuses: { mptcp4: errno, mptcp6: errno } });
      expect((await look()).gaps).toEqual(SUBFLOWS_ONLY);
      expect((await look()).gaps).toEqual(SUBFLOWS_ONLY);
      expect(socket.asked.filter((name) => name.startsWith('mptcp'))).toEqual(['mptcp4', 'mptcp6']);
    }
  });

  it('that loses a part is asked once more, through another socket', async () => {
    for (const name of ['tcp4', 'unix'] as const) {
      const { socket, look } = await lookAt({ breaks: { name, errno: ENOBUFS, times: 1 } });
      const { sockets, gaps } = await look();
      expect(gaps).toEqual([]);
      expect(sockets.length).toBe(81);
      expect(socket.asked.filter((asked) => asked === name).length).toBe(name === 'tcp4' ? 3 : 2);
      expect(socket.closed).toBe(1);
    }
  });

  it('that loses it again: a gap and all the rest, but for TCP over IPv4 an error', async () => {
    const lost = 'could not read from sock_diag: a part of the answer was lost (errno 105)';
    const { look } = await lookAt({ breaks: { name: 'udp4', errno: ENOBUFS, times: 2 } });
    const { sockets, gaps } = await look();
    expect(gaps).toEqual([{ what: 'UDP sockets of IPv4', why: `some or all are missing: ${lost}` }]);
    const rows = Array.from({ length: sockets.length }, (_, index) => sockets.row(index));
    expect(rows.some(({ protocol }) => protocol === 'unix')).toBe(true);
    expect(rows.some(({ protocol }) => protocol === 'tcp')).toBe(true);
    const tcp = await lookAt({ breaks: { name: 'tcp4', errno: ENOBUFS, times: 2 } });
    await expect(tcp.look()).rejects.toMatchObject({ fault: 'failed', message: lost });
  });

  it('whose sockets changed while it listed them is asked once more, and then it is a gap', async () => {
    const once = await (await lookAt({ interrupts: { name: 'tcp6', times: 1 } })).look();
    expect(once.gaps).toEqual([]);
    expect(once.sockets.length).toBe(81);
    const twice = await (await lookAt({ interrupts: { name: 'tcp6', times: 2 } })).look();
    expect(twice.sockets.length).toBe(81);
    expect(twice.gaps).toMatchObject([
      { what: 'TCP sockets of IPv6', why: expect.stringContaining('NLM_F_DUMP_INTR') },
    ]);
  });

  it('is asked for the lengths of queues before and behind who waits', async () => {
    const held = async (behaviour: Behaviour) => {
      const { sockets } = await (await lookAt(behaviour)).look();
      const rows = Array.from({ length: sockets.length }, (_, index) => sockets.row(index));
      const crowded = rows.filter(
        ({ protocol, queues }) => protocol !== 'unix' && queues?.kind === 'listener' && queues.length > 0,
      );
      return crowded.map(({ index }) => sockets.hasFlag(index, 'lengthHeld'));
    };
    const still = await held({});
    expect(still.length).toBeGreaterThan(2);
    expect(new Set(still)).toEqual(new Set([true]));
    expect(new Set(await held({ accepts: true }))).toEqual(new Set([false]));
  });

  it('that does not end its answer is given up, and its socket with it', async () => {
    const { socket, look } = await lookAt({ endless: true }, { timeoutMs: 50 });
    await expect(look()).rejects.toMatchObject({
      fault: 'timeout',
      message: 'the kernel did not end its list of sockets in time',
    });
    expect(socket.closed).toBe(1);
  });

  it('whose part did not fit into the buffer is a gap', async () => {
    const { look } = await lookAt({ cutOff: 1 });
    const { gaps } = await look();
    expect(gaps[0]?.what).toBe('TCP sockets of IPv4');
    expect(gaps[0]?.why).toContain('bytes at once, of which 65536 were read');
  });
});

describe('what is asked', () => {
  const wanted = { udp: true, unix: true, scope: 'troubled' } as const;
  const { listen, synRecv, established, closeWait, close } = STATE_BITS;
  const of = (name: DumpName, kind: 'complete' | 'listeners' | 'ports', ports: number[] = []) =>
    dumpsFor(kind, wanted, ports).filter((dump) => dump.name === name);

  it('listeners: LISTEN and SYN-RECV, UDP without a peer, Unix listeners', () => {
    expect(of('tcp6', 'listeners')).toEqual([{ name: 'tcp6', states: listen | synRecv }]);
    expect(of('udp4', 'listeners')).toEqual([{ name: 'udp4', states: close }]);
    expect(of('unix', 'listeners')).toEqual([{ name: 'unix', states: listen }]);
  });

  it('ports: also the connections of these ports, filtered in the kernel', () => {
    expect(of('tcp4', 'ports', [80])).toEqual([
      { name: 'tcp4', states: listen | synRecv },
      { name: 'tcp4', states: established | closeWait, ports: [80] },
    ]);
    expect(of('tcp4', 'ports')).toEqual([{ name: 'tcp4', states: listen | synRecv }]);
  });

  it('more ports than a filter should hold: all that may wait', () => {
    const many = Array.from({ length: 65 }, (_, index) => 8000 + index);
    expect(of('tcp4', 'ports', many)).toEqual([
      { name: 'tcp4', states: listen | synRecv | established | closeWait },
    ]);
    expect(of('tcp4', 'ports', many.slice(1)).length).toBe(2);
  });

  it('complete: what waits, or with scope all everything, with or without tcp_info', () => {
    expect(of('tcp4', 'complete')).toEqual([
      { name: 'tcp4', states: listen | synRecv | established | closeWait },
    ]);
    const all = dumpsFor('complete', { ...wanted, scope: 'all', details: false, udp: false }, []);
    expect(all.map(({ name }) => name)).toEqual(['tcp4', 'tcp6', 'mptcp4', 'mptcp6', 'unix']);
    expect(all[0]).toEqual({ name: 'tcp4', states: STATE_BITS.all, details: false });
  });
});

describe('observeOnce', () => {
  it('takes sockets from the kernel by itself, and says so', async () => {
    const seen = await observeOnce(
      { ...OPTIONS, source: 'auto' },
      { openDiagSocket: async () => new FakeSocket() },
    );
    expect(seen.origin.source).toBe('netlink');
    expect(seen.gaps).toEqual([]);
  });
});
