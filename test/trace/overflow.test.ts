import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Conversation, FLAGS, pcap } from '../support/packets.js';
import { traceBytes, traceFiles } from '../support/trace.js';

const path = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/captures/overflow/${name}.pcap`, import.meta.url));

/** Connections with a signature, those without, and frames that must be among the evidence. */
const EXPECTED: Readonly<
  Record<string, { signatures: readonly (string | undefined)[]; frames?: readonly number[] }>
> = {
  's1-full-at-syn-abort-on-overflow': {
    signatures: ['s1', 's1', ...Array(6).fill(undefined)],
    frames: [1, 4],
  },
  's1-full-at-syn-then-drained': { signatures: ['s1', 's1'], frames: [1, 4, 5, 8] },
  's2-full-at-ack-no-data-then-expired': { signatures: [undefined, 's2', 's2'], frames: [6, 7, 12, 14] },
  's2-full-at-ack-then-drained': {
    signatures: [undefined, 's2', 's2', ...Array(5).fill(undefined)],
    frames: [6, 7, 20],
  },
  's2-full-at-ack-with-data': { signatures: [undefined, 's2', 's2'], frames: [6, 7, 20, 26] },
  // Three packets each and then silence: without data nothing tells them from connections that are well.
  's3-cookie-then-full-abort-on-overflow': { signatures: Array(4).fill(undefined) },
  's3-cookie-then-full-no-data': { signatures: Array(4).fill(undefined) },
  's3-cookie-then-full-with-data': { signatures: [undefined, undefined, 's3', 's3'], frames: [9, 10] },
  's4-full-at-ack-abort-on-overflow': {
    signatures: [undefined, 's4', 's4', ...Array(5).fill(undefined)],
    frames: [6, 7, 10],
  },
};

describe('accept-queue overflow on the wire', () => {
  it.each(Object.entries(EXPECTED))('%s', async (name, { signatures, frames = [] }) => {
    const { connections } = await traceFiles([path(name)]);
    const found = connections.map(({ findings }) =>
      findings.find(({ rule }) => rule === 'accept_queue_overflow'),
    );
    expect(found.map((one) => one?.signature)).toEqual(signatures);
    for (const finding of found) {
      if (finding === undefined) continue;
      expect(finding.sure).toBe('suspected');
      expect(finding.alternatives?.length).toBeGreaterThan(0);
      expect(finding.frames.length).toBeGreaterThan(1);
    }
    expect(found.find((one) => one !== undefined)?.frames ?? []).toEqual(expect.arrayContaining([...frames]));
  });

  it('a reset after the server had acknowledged data is no S4', () => {
    const signature = (conversation: Conversation) =>
      traceBytes(pcap(conversation.packets)).connections[0]?.findings.find(
        ({ rule }) => rule === 'accept_queue_overflow',
      )?.signature;
    const opened = () => new Conversation().handshake().data('client', 'hello');
    const bare = { from: 'server', flags: FLAGS.rst, seq: 5001 } as const;
    expect(signature(opened().raw(bare))).toBe('s4');
    expect(signature(opened().ack('server').raw(bare))).toBeUndefined();
    // With an ACK of that data: the reset of a program, not of a queue.
    expect(signature(opened().rst('server'))).toBeUndefined();
  });

  it('tells the bare summary the same', async () => {
    const { result } = await traceFiles([path('s2-full-at-ack-with-data')], { detail: 'totals' });
    expect(result.summary.rules.find(({ rule }) => rule === 'accept_queue_overflow')).toMatchObject({
      connections: 2,
      severity: 'warning',
    });
    expect(result.worst[0]?.findings[0]).toMatchObject({ signature: 's2' });
  });
});

describe('what else a SYN-ACK sent again could be', () => {
  const again = (conversation: Conversation) => {
    for (const pause of [1, 2, 4])
      conversation
        .wait(pause)
        .raw({ from: 'server', flags: 18, seq: 5000, ack: 1001 })
        .raw({ flags: 16, seq: 1001, ack: 5001 });
    return conversation;
  };
  const finding = (conversation: Conversation) => {
    const { connections } = traceBytes(pcap(conversation.packets));
    return connections[0]?.findings.find(({ signature }) => signature === 's2');
  };

  it('names TCP_DEFER_ACCEPT first where the client had sent no data', () => {
    const found = finding(
      again(new Conversation().handshake()).data('client', 'hello').ack('server').data('server', 'ok'),
    );
    expect(found?.sure).toBe('suspected');
    expect(found?.alternatives?.[0]).toMatch(/^TCP_DEFER_ACCEPT/);
    expect(found?.message).toContain('so does TCP_DEFER_ACCEPT');
  });

  it('and not where its data had gone unheard', () => {
    const found = finding(
      again(new Conversation().handshake().data('client', 'hello').again('client', 'hello')),
    );
    expect(found?.alternatives?.join()).not.toContain('TCP_DEFER_ACCEPT');
  });
});
