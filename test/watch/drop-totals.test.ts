import { describe, expect, it } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import type { Counters } from '../../src/model/observation.js';
import { DiagnosisWatch } from '../../src/watch/diagnosis.js';
import { listen, look, type RowSpec } from '../support/table-builder.js';

const OWNER = { pid: 812, fd: 6, name: 'nginx' };

/** What a diagnosis says of looks half a second apart. */
function factsOf(looks: readonly { readonly rows: readonly RowSpec[]; readonly counters?: Counters }[]) {
  const watch = new DiagnosisWatch({ thresholds: DEFAULT_THRESHOLDS });
  for (const [number, { rows, counters = {} }] of looks.entries())
    watch.take(look(number * 500, rows, { counters, sysctls: { tcpSyncookies: 1 } }));
  const facts = watch.facts();
  return [...(facts?.host ?? []), ...(facts?.listeners ?? []).flatMap(({ findings }) => findings)];
}

const texts = (...looks: Parameters<typeof factsOf>) =>
  factsOf(...looks).map(({ rule, message }) => `${rule}: ${message}`);

const udp = (port: number, inode: number, drops: number): RowSpec => ({
  protocol: 'udp',
  state: 'unconnected',
  local: `0.0.0.0:${port}`,
  owners: [OWNER],
  columns: { inode, drops },
});

describe('drops of a diagnosis', () => {
  it('of a UDP socket are those of the whole watch, not of the window that had some last', () => {
    const drops = [100, 2100, 4100, 6000, 6008, 6008];
    const found = factsOf(drops.map((count) => ({ rows: [udp(7000, 3, count)] })));
    expect(found).toMatchObject([
      {
        rule: 'udp_drops',
        message: 'UDP socket 0.0.0.0:7000 dropped 5,908 datagrams in 2.5 s',
        evidence: [{ metric: 'drops', value: 5908 }],
      },
    ]);
  });

  it('of the worst socket come first, those before the first look and of another socket count for nothing', () => {
    expect(
      texts([
        { rows: [udp(1, 3, 50), udp(2, 4, 7)] },
        { rows: [udp(1, 3, 50), udp(2, 4, 9), udp(3, 5, 900)] },
        { rows: [udp(1, 3, 51), udp(2, 4, 9), udp(3, 5, 900)] },
        { rows: [udp(1, 8, 800), udp(2, 4, 9), udp(3, 5, 900)] },
      ]),
    ).toEqual([
      'udp_drops: UDP socket 0.0.0.0:2 dropped 2 datagrams in 1.5 s',
      'udp_drops: UDP socket 0.0.0.0:1 dropped 1 datagram in 1.5 s',
    ]);
    expect(texts([{ rows: [udp(1, 3, 50)] }, { rows: [udp(1, 3, 50)] }])).toEqual([]);
  });

  it('of SYN queues are counted from the first look to the last', () => {
    const counters = (cookies: number, drops: number) => ({
      rows: [],
      counters: { TCPReqQFullDoCookies: cookies, TCPReqQFullDrop: drops },
    });
    expect(texts([counters(5, 0), counters(305, 40), counters(306, 40), counters(306, 41)])).toEqual([
      'syn_cookies: a SYN queue was full: 301 SYNs answered with SYN cookies in 1.5 s',
      'syn_queue_full: a SYN queue was full: 41 SYNs dropped in 1.5 s, for SYN cookies are off',
    ]);
    expect(texts([counters(5, 9), counters(5, 9)])).toEqual([]);
  });

  const full = (drops: number): RowSpec =>
    listen('0.0.0.0:443', [5, 4], { inode: 9, drops }, { owners: [OWNER] });

  it('of a listener are summed over the looks that told of them', () => {
    const at = (count: number) => ({ rows: [full(count)], counters: { ListenOverflows: count } });
    const [overflow] = factsOf([at(10), at(60), at(90), at(91), at(91)]).filter(
      ({ rule }) => rule === 'accept_queue_overflow',
    );
    expect(overflow?.message).toBe('accept queue overflowed: 81 segments dropped in 2.0 s');
    expect(overflow?.evidence.filter(({ metric }) => /Overflows|dropped/.test(metric))).toMatchObject([
      { metric: 'ListenOverflows', value: 81, text: expect.stringContaining('rose by 81 in 2.0 s') },
      { metric: 'dropped_segments_delta', value: 81, text: expect.stringContaining('81 segments in 2.0 s') },
    ]);
  });

  it('that no overflow explains keep their reason, and what is of one look keeps its words', () => {
    const at = (drops: number) => ({
      rows: [listen('0.0.0.0:443', [0, 4], { inode: 9, drops }, { owners: [OWNER] })],
      counters: { ListenOverflows: 0, ListenDrops: drops },
    });
    expect(texts([at(0), at(6), at(8), at(8)])).toEqual([
      'dropped_segments: this listener dropped 8 segments in 1.5 s: no overflow, but a full SYN queue without cookies, an ICMP error or a lack of memory',
    ]);
    const rows = [full(0)];
    const emptied = [listen('0.0.0.0:443', [0, 4], { inode: 9, drops: 0 }, { owners: [OWNER] })];
    expect(texts([{ rows }, { rows: emptied }])).toContainEqual(
      expect.stringMatching(/^accept_queue_full: .*\(at an earlier look\)$/),
    );
  });
});
