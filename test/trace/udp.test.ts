import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ladder } from '../../src/render/trace/ladder.js';
import { bytesOf, ethernet, ipv4, pcap, type Timed, u16, u32, udp } from '../support/packets.js';
import { sharedDir, sharedMissing } from '../support/shared.js';
import { traceBytes, traceFiles } from '../support/trace.js';

const START = 1_700_000_000;
const real = (name: string) => join(sharedDir ?? '', 'captures', 'real', name);
const skipped = sharedMissing ? ` (skipped: ${sharedMissing})` : '';

const ladderOf = async (name: string, follow: number) => {
  const { result } = await traceFiles([real(name)], { follow });
  const { followed } = result;
  if (followed === undefined) throw new Error('not followed');
  return { followed, text: [...ladder(followed, { epochSeconds: 0, color: false })].join('') };
};

describe.skipIf(sharedMissing)(`QUIC${skipped}`, () => {
  it('has a ladder of its packets, in its own words', async () => {
    const { followed, text } = await ladderOf('quic-retry.pcap', 1);
    expect(followed.role).toBe('initial');
    expect(text).toMatch(/5 +0\.000000 s +│ QUIC Initial 1,252 B ─+▶│/);
    expect(text).toMatch(/6 +0\.032752 s +│◀─+ QUIC Retry 125 B │/);
    expect(text).toMatch(/8 +0\.069905 s +│◀─+ ServerHello │/);
    expect(text).toMatch(/11 +0\.072809 s +│ TLS handshake done ─+▶│/);
    expect(text).toMatch(/connect \(Initial to 1-RTT\) +73 ms/);
    expect(text).not.toMatch(/SYN|guess|no packets/);
  });

  it('takes a Retry for no answer to a request', async () => {
    const { connections } = await traceFiles([real('quic-retry.pcap')]);
    expect(connections[0]?.phases.firstResponse).toBeUndefined();
    expect(connections[0]?.response).toBeUndefined();
    expect(connections[0]?.events).toEqual([]);
  });
});

describe('UDP', () => {
  const frames = (...packets: readonly Uint8Array[]): Timed[] =>
    packets.map((bytes, index) => ({ time: START + index * 0.01, bytes: ethernet(0x0800, bytes) }));
  const query = ipv4(17, udp(50_000, 9999, bytesOf([1, 2, 3])));
  const error = (type: number, code: number) =>
    ipv4(1, bytesOf([type, code], u16(0), u32(0), query), { reverse: true });

  it('refused by ICMP has a finding that says by what', () => {
    const { connections, result } = traceBytes(pcap(frames(query, error(3, 3))), { follow: 1 });
    expect(connections[0]).toMatchObject({
      outcome: 'refused',
      findings: [{ rule: 'connect_refused', severity: 'warning', frames: [1, 2] }],
    });
    expect(connections[0]?.findings[0]?.message).toContain('nobody listens on that port');
    expect(result.summary.rules).toMatchObject([{ rule: 'connect_refused', connections: 1 }]);
    expect(result.followed?.events.map(({ kind, from }) => `${kind} ${from}`)).toEqual([
      'datagram client',
      'icmp_unreachable server',
    ]);
    const { connections: filtered } = traceBytes(pcap(frames(query, error(3, 13))));
    expect(filtered[0]?.findings[0]?.message).toContain('unreachable or filtered');
  });

  it('an ICMP error that refuses nothing is no refusal', () => {
    const { connections } = traceBytes(pcap(frames(query, error(11, 0))));
    expect(connections[0]).toMatchObject({ outcome: 'unresolved', findings: [] });
  });

  it.skipIf(sharedMissing)(
    `a ladder names the datagrams, and says what of it is a guess${skipped}`,
    async () => {
      const { text } = await ladderOf('gre-sample.pcap', 3);
      expect(text).toMatch(/33 +0\.000000 s +│ UDP DNS query 33 B ─+▶│/);
      expect(text).toContain('UDP does not say');
      expect(text).toMatch(/◀─+ ICMP unreachable type 3 code 3 │/);
    },
  );
});
