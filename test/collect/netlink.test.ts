import { describe, expect, it } from 'vitest';
import { dumpsFor, NetlinkSource } from '../../src/collect/netlink.js';
import { observeOnce } from '../../src/collect/observe.js';
import { type DumpName, STATE_BITS } from '../../src/parse/netlink/index.js';
import { type Behaviour, FakeSocket } from './fake-socket.js';
import { OPTIONS } from './support.js';

const ENOENT = 2;
const WANTED = { ...OPTIONS, source: 'netlink', scope: 'all', udp: true, unix: true } as const;

async function lookAt(behaviour: Behaviour, options: Partial<typeof WANTED> = {}) {
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
    expect(socket.asked).toEqual(['tcp4', 'tcp6', 'mptcp4', 'mptcp6', 'udp4', 'udp6', 'unix']);
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
    const { gaps } = await (await lookAt({ refuses })).look();
    expect(gaps).toEqual([
      { what: 'UDP sockets of IPv4', why: 'this kernel cannot list them: load udp_diag (modprobe)' },
      { what: 'Unix sockets', why: 'this kernel cannot list them: load unix_diag (modprobe)' },
    ]);
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
