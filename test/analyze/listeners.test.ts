import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lookAtListeners, readListeners } from '../../src/analyze/listeners.js';
import { formatEndpoint } from '../../src/model/endpoint.js';
import type { Listener } from '../../src/model/listener.js';
import { cpuMillis } from '../support/cpu-time.js';
import { buildTable, listen, type RowSpec, waiting } from '../support/table-builder.js';

const ASKED = { netns: 'ns', connectionsAsked: true, synRecvAsked: true };
const read = (rows: readonly RowSpec[], options = ASKED): Listener[] =>
  readListeners(buildTable(rows), options);
const synRecv = (local: string, remote: string, retransmits = 0): RowSpec => ({
  state: 'syn-recv',
  local,
  remote,
  columns: { inode: 0, timerRetransmits: retransmits },
});
/** `{'0.0.0.0:443': 3}`: how many wait for whom. */
const counts = (listeners: readonly Listener[]) =>
  Object.fromEntries(
    listeners.map(({ local, waiting, protocol }) => [
      `${protocol === 'tcp' ? '' : `${protocol} `}${formatEndpoint(local)}`,
      waiting?.count,
    ]),
  );

describe('one listener', () => {
  it('holds one more than its backlog', () => {
    const [listener] = read([listen('0.0.0.0:443', [129, 128], { inode: 7, drops: 3 }, { cookie: 0x3f70b })]);
    expect(listener).toMatchObject({
      key: 'ns:7',
      protocol: 'tcp',
      netns: 'ns',
      inode: 7,
      cookie: '3f70b',
      acceptQueue: { length: 129, backlog: 128, capacity: 129, fill: 1, free: 0 },
      droppedSegments: 3,
      row: 0,
    });
  });

  it.each([
    [[0, 0], { capacity: 1, fill: 0, free: 1 }],
    [[1, 0], { capacity: 1, fill: 1, free: 0 }],
    [[40, 8], { capacity: 9, fill: 40 / 9, free: 0 }],
  ] as const)('with queue %j', (queues, expected) => {
    expect(read([listen('*:80', queues)])[0]?.acceptQueue).toMatchObject(expected);
  });

  it('has no limit where that is unknown, not 0', () => {
    const [listener] = read([listen('*:80', [3, 0], {}, { flags: ['limitUnknown'] })]);
    expect(listener?.acceptQueue).toEqual({ length: 3 });
    expect(listener).not.toHaveProperty('synQueue.limit');
  });

  it('is known by inode, else by cookie, else by address and a number', () => {
    const keys = read([
      listen('*:80', [0, 1], { inode: 5 }),
      listen('*:81', [0, 1], {}, { cookie: 0xab }),
      listen('127.0.0.1:82', [0, 1]),
      listen('127.0.0.1:82', [0, 1]),
    ]).map(({ key }) => key);
    expect(keys).toEqual(['ns:5', 'ns:ab', 'ns:tcp 127.0.0.1:82#0', 'ns:tcp 127.0.0.1:82#1']);
  });

  it('of Unix has a queue and no connections; what does not listen is none', () => {
    const listeners = read([
      { protocol: 'unix', state: 'listen', local: '/run/a', queues: [3, 2], columns: { inode: 9 } },
      { protocol: 'unix', state: 'unconnected', local: '/run/a', queues: [0, 0] },
      { protocol: 'unix', state: 'listen', unixKind: 'seqpacket', local: '@b', queues: [0, 5] },
    ]);
    expect(listeners.map(({ local, unixKind }) => [formatEndpoint(local), unixKind])).toEqual([
      ['/run/a', 'stream'],
      ['@b', 'seqpacket'],
    ]);
    expect(listeners[0]?.acceptQueue).toMatchObject({ length: 3, backlog: 2, capacity: 3 });
    expect(listeners[0]).not.toHaveProperty('waiting');
  });
});

describe('who waits', () => {
  it('for MPTCP is counted once, also where nothing says that the TCP row is a subflow', () => {
    const rows = [
      listen('*:80', [2, 8], { inode: 7 }, { protocol: 'mptcp' }),
      listen('*:80', [2, 8], { inode: 7 }),
      waiting('10.0.0.1:80', '10.0.0.9:3', 7),
      waiting('10.0.0.1:80', '10.0.0.9:3', undefined, { protocol: 'mptcp' }),
      waiting('10.0.0.1:80', '10.0.0.9:4', 7),
    ];
    expect(read(rows)[0]?.waiting).toMatchObject({ count: 2, reset: 0 });
  });

  it('is who is established or gave up, and has inode 0; with ages, bytes and the oldest first', () => {
    const [listener] = read([
      waiting('10.0.0.1:80', '10.0.0.9:1', 40, { queues: [100, 0] }),
      waiting('10.0.0.1:80', '10.0.0.9:2', 4100, { state: 'close-wait', queues: [11, 0] }),
      listen('0.0.0.0:80', [4, 8], { inode: 7 }, { flags: ['lengthHeld'] }),
      { local: '10.0.0.1:80', remote: '10.0.0.9:3', columns: { inode: 12, lastSentMs: 9000 } },
      { state: 'fin-wait-2', local: '10.0.0.1:80', remote: '10.0.0.9:4', columns: { inode: 0 } },
    ]);
    expect(listener?.waiting).toEqual({
      count: 2,
      oldestMs: 4100,
      reset: 2,
      abandoned: 1,
      unread: 110,
      clients: [
        { state: 'close-wait', unread: 10, waitedMs: 4100, remote: expect.objectContaining({ port: 2 }) },
        { state: 'established', unread: 100, waitedMs: 40, remote: expect.objectContaining({ port: 1 }) },
      ],
    });
  });

  it('prefers the specific address, then the wildcard of the family, then dual stack', () => {
    const all = [
      listen('10.0.0.1:80', [1, 8], { inode: 1 }),
      listen('0.0.0.0:80', [1, 8], { inode: 2 }),
      listen('*:80', [1, 8], { inode: 3 }),
    ];
    const clients = [
      waiting('10.0.0.1:80', '10.0.0.9:1'),
      waiting('10.0.0.2:80', '10.0.0.9:1'),
      waiting('10.0.0.2:80', '10.0.0.9:2'),
      waiting('[::1]:80', '[::1]:1'),
    ];
    expect(counts(read([...clients, ...all]))).toEqual({ '10.0.0.1:80': 1, '0.0.0.0:80': 2, '[::]:80': 1 });
    const [specific, , dual] = all as [RowSpec, RowSpec, RowSpec];
    expect(counts(read([...clients, specific, dual]))).toEqual({ '10.0.0.1:80': 1, '[::]:80': 3 });
  });

  it('does not give IPv4 to a listener for IPv6 only', () => {
    const v6only = listen('[::]:80', [0, 8], { inode: 3 }, { flags: ['v6only'] });
    expect(counts(read([v6only, waiting('10.0.0.2:80', '10.0.0.9:1')]))).toEqual({ '[::]:80': 0 });
  });

  it('goes by the device: rows of a bound listener carry it', () => {
    const rows = [
      listen('0.0.0.0:80', [1, 8], { inode: 1 }),
      listen('0.0.0.0%eth0:80', [1, 8], { inode: 2 }),
      waiting('10.0.0.1%eth0:80', '10.0.0.9:1'),
      waiting('10.0.0.1%eth0:80', '10.0.0.9:2'),
      waiting('10.0.0.1:80', '10.0.0.9:3'),
    ];
    expect(counts(read(rows))).toEqual({ '0.0.0.0:80': 1, '0.0.0.0%eth0:80': 2 });
  });

  it('takes the zone of a link-local address for no binding', () => {
    const rows = [listen('[::]:80', [1, 8], { inode: 1 }), waiting('[fe80::1]%eth0:80', '[fe80::2]%eth0:9')];
    expect(counts(read(rows))).toEqual({ '[::]:80': 1 });
  });

  it('is not who waits elsewhere, and nobody where no listener fits', () => {
    expect(
      counts(read([listen('10.0.0.1:80', [0, 8], { inode: 1 }), waiting('10.0.0.2:80', '10.0.0.9:1')])),
    ).toEqual({ '10.0.0.1:80': 0 });
  });

  it('is unknown without inodes, and nobody in an empty queue', () => {
    const withoutInodes = [listen('*:80', [3, 8]), { local: '10.0.0.1:80', remote: '10.0.0.9:1' }];
    expect(read(withoutInodes)[0]).not.toHaveProperty('waiting');
    expect(read([listen('*:80', [0, 8])])[0]?.waiting).toMatchObject({ count: 0, reset: 0 });
  });

  it('is unknown where connections were not asked for', () => {
    const rows = [listen('*:80', [3, 8], { inode: 1 })];
    expect(read(rows, { ...ASKED, connectionsAsked: false })[0]).not.toHaveProperty('waiting');
    expect(readListeners(buildTable(rows))[0]).not.toHaveProperty('waiting');
    expect(read(rows)[0]?.waiting).toMatchObject({ count: 0 });
  });

  it('has reset only where the length of the queue held: else they may have been accepted', () => {
    const client = waiting('10.0.0.1:80', '10.0.0.9:1');
    const of = (length: number, rest: RowSpec = {}) =>
      read([listen('*:80', [length, 8], { inode: 1 }, rest), client])[0]?.waiting;
    expect(of(3)).not.toHaveProperty('reset');
    expect(of(3, { flags: ['lengthHeld'] })).toMatchObject({ count: 1, reset: 2 });
    expect(of(1)).toMatchObject({ count: 1, reset: 0 });
  });

  it('is known for the ports whose connections are seen, where it is not known what was asked', () => {
    const rows = [
      listen('0.0.0.0:80', [2, 8], { inode: 1 }),
      listen('0.0.0.0:81', [2, 8], { inode: 2 }),
      waiting('10.0.0.1:80', '10.0.0.9:1'),
    ];
    expect(counts(readListeners(buildTable(rows)))).toEqual({ '0.0.0.0:80': 1, '0.0.0.0:81': undefined });
  });

  it('never makes a negative number of resets: the dump is not atomic', () => {
    const rows = [
      listen('*:80', [0, 8], { inode: 1 }),
      waiting('10.0.0.1:80', '10.0.0.9:1'),
      waiting('10.0.0.1:80', '10.0.0.9:2'),
    ];
    expect(read(rows)[0]?.waiting).toMatchObject({ count: 2, reset: 0 });
  });

  it('lists 50 clients at most', () => {
    const rows = Array.from({ length: 60 }, (_, n) => waiting('10.0.0.1:80', `10.0.0.9:${n + 1}`, n));
    const [listener] = read([listen('*:80', [60, 100], { inode: 1 }), ...rows]);
    expect(listener?.waiting?.count).toBe(60);
    expect(listener?.waiting?.clients).toHaveLength(50);
    expect(listener?.waiting?.clients[0]?.waitedMs).toBe(59);
  });

  it('gives the ages only where all are known', () => {
    const known = [listen('*:80', [2, 8], { inode: 1 }), waiting('10.0.0.1:80', '10.0.0.9:1', 5)];
    const waits = (rows: readonly RowSpec[]) => lookAtListeners(buildTable(rows), ASKED).waits.get('ns:1');
    expect(waits([...known, waiting('10.0.0.1:80', '10.0.0.9:2', 70)])).toEqual(Float64Array.of(70, 5));
    expect(waits([...known, waiting('10.0.0.1:80', '10.0.0.9:2')])).toBeUndefined();
  });
});

describe('the SYN queue', () => {
  it('is SYN-RECV against the backlog', () => {
    const [listener] = read([
      listen('*:80', [0, 16], { inode: 1 }),
      synRecv('10.0.0.1:80', '10.0.0.9:1'),
      synRecv('10.0.0.1:80', '10.0.0.9:2', 2),
    ]);
    expect(listener?.synQueue).toEqual({ length: 2, limit: 16, retransmitted: 1 });
  });

  it('is unknown in saved output that shows listeners only', () => {
    expect(readListeners(buildTable([listen('*:80', [0, 16])]))[0]).not.toHaveProperty('synQueue');
  });
});

describe('SO_REUSEPORT', () => {
  const members = [
    listen('0.0.0.0:80', [5, 4], { inode: 1 }),
    listen('0.0.0.0:80', [0, 4], { inode: 2 }),
    listen('0.0.0.0:80', [1, 4], { inode: 3 }),
  ];
  const clients = Array.from({ length: 6 }, (_, n) => waiting('10.0.0.1:80', `10.0.0.9:${n + 1}`, n * 10));

  it('has a queue for each member, and rows for the group only', () => {
    const listeners = read([...members, ...clients, synRecv('10.0.0.1:80', '10.0.0.9:99')]);
    expect(listeners.map(({ acceptQueue }) => acceptQueue.length)).toEqual([5, 0, 1]);
    for (const listener of listeners) {
      expect(listener).not.toHaveProperty('waiting');
      expect(listener).not.toHaveProperty('synQueue');
      expect(listener.group).toMatchObject({
        id: 'ns:tcp 0.0.0.0:80',
        members: 3,
        synQueue: { length: 1, retransmitted: 0 },
        waiting: { count: 6, oldestMs: 50 },
      });
      expect(listener.group).not.toHaveProperty('waiting.reset');
      expect(listener.group).not.toHaveProperty('synQueue.limit');
    }
  });

  it.each([
    ['another address', listen('10.0.0.1:80', [0, 4], { inode: 9 })],
    ['another device', listen('0.0.0.0%lo:80', [0, 4], { inode: 9 })],
    ['another family', listen('*:80', [0, 4], { inode: 9 })],
  ])('%s is no member', (_, other) => {
    const listeners = read([...members.slice(0, 1), other]);
    expect(listeners.map(({ group }) => group)).toEqual([undefined, undefined]);
  });
});

describe('MPTCP', () => {
  const subflow = (rest: RowSpec = {}) =>
    listen('*:80', [4, 8], { inode: 7, drops: 5 }, { flags: ['mptcpSubflow'], ...rest });
  const socket = listen('*:80', [4, 8], { inode: 7 }, { protocol: 'mptcp' });
  const clients = [
    waiting('10.0.0.1:80', '10.0.0.9:1', 5),
    waiting('10.0.0.1:80', '10.0.0.9:2', 6),
    waiting('10.0.0.1:80', '10.0.0.9:3', 7, { flags: ['mptcpSubflow'] }),
    waiting('10.0.0.1:80', '10.0.0.9:3', undefined, { protocol: 'mptcp' }),
    waiting('10.0.0.1:80', '10.0.0.9:4', undefined, { protocol: 'mptcp' }),
  ];

  it('is listed twice and is one listener, with the drops of its subflow', () => {
    const listeners = read([subflow(), socket, ...clients]);
    expect(listeners).toHaveLength(1);
    expect(listeners[0]).toMatchObject({
      protocol: 'mptcp',
      key: 'ns:7',
      droppedSegments: 5,
      acceptQueue: { length: 4 },
      waiting: { count: 4, reset: 0, oldestMs: 6 },
    });
  });

  it('counts no resets where its own connections are not listed', () => {
    const [listener] = read([subflow(), ...clients.slice(0, 3)]);
    expect(listener).toMatchObject({ protocol: 'mptcp', waiting: { count: 2 } });
    expect(listener).not.toHaveProperty('waiting.reset');
  });

  it('without inodes is known by its flag', () => {
    const { columns: _, ...bare } = subflow();
    expect(read([bare, { ...socket, columns: {} }])).toHaveLength(1);
    const { flags: __, ...plain } = bare;
    expect(read([plain, { ...socket, columns: {} }])).toHaveLength(2);
  });
});

describe('any order of the rows', () => {
  it('gives the same attribution', () => {
    const rows: RowSpec[] = [
      listen('10.0.0.1:80', [2, 8], { inode: 1 }),
      listen('0.0.0.0:80', [2, 8], { inode: 2 }),
      listen('*:80', [2, 8], { inode: 3 }),
      listen('0.0.0.0:81', [2, 8], { inode: 4 }),
      listen('0.0.0.0:81', [2, 8], { inode: 5 }),
      ...[1, 2, 3].flatMap((n) => [
        waiting('10.0.0.1:80', `10.0.0.9:${n}`, n),
        waiting('10.0.0.2:80', `10.0.0.9:${n}`, n),
        waiting('[::2]:80', `[::9]:${n}`, n),
        waiting('10.0.0.2:81', `10.0.0.9:${n}`, n),
        synRecv('10.0.0.2:81', `10.0.0.9:${n + 10}`),
      ]),
    ];
    const facts = (specs: readonly RowSpec[]) =>
      read(specs)
        .map(({ row: _, waiting, group, ...rest }) => ({
          ...rest,
          waiting: waiting && { ...waiting, clients: [] },
          group: group && { ...group, waiting: { ...group.waiting, clients: [] } },
        }))
        .sort((a, b) => (a.key < b.key ? -1 : 1));
    const expected = facts(rows);
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), (shuffled) => {
        expect(facts(shuffled)).toEqual(expected);
      }),
    );
  });
});

describe('a crowd', () => {
  it('of 100,000 connections is read in a moment, with no object for each', () => {
    const crowd = buildTable([listen('0.0.0.0:443', [10, 128], { inode: 7 })]);
    for (let n = 0; n < 100_000; n++) {
      const row = crowd.append();
      crowd.family[row] = 4;
      crowd.localPort[row] = 443;
      crowd.setFlag(row, 'localPortKnown');
      crowd.set('inode', row, n < 10 ? 0 : n + 100);
    }
    // The best of several: the first finds nothing compiled.
    const times = Array.from({ length: 5 }, () => {
      const started = cpuMillis();
      const [listener] = readListeners(crowd, ASKED);
      expect(listener?.waiting?.count).toBe(10);
      return cpuMillis() - started;
    });
    expect(Math.min(...times)).toBeLessThan(100);
  });
});
