import { describe, expect, it } from 'vitest';
import { ladder } from '../../src/render/trace/ladder.js';
import { Conversation, pcap } from '../support/packets.js';
import { traceBytes } from '../support/trace.js';

const ladderOf = (conversation: Conversation, width?: number): string[] => {
  const { result } = traceBytes(pcap(conversation.packets), { follow: 1 });
  if (result.followed === undefined) throw new Error('not followed');
  return [...ladder(result.followed, { epochSeconds: 0, color: false, ...(width && { width }) })]
    .join('')
    .split('\n');
};

describe('the ladder of a connection', () => {
  it('tells when the SYN was sent again, in what shape, and which systems do so', () => {
    const conversation = new Conversation();
    for (const pause of [1, 1, 1, 2]) conversation.raw({ flags: 2, seq: 1000 }).wait(pause);
    const lines = ladderOf(conversation.raw({ flags: 2, seq: 1000 }));
    expect(lines).toContain(
      'SYN sent again after 1.0 s, 1.0 s, 1.0 s, 2.0 s: no regular schedule, known of no system',
    );
    const linear = new Conversation();
    for (const pause of [1, 1, 1]) linear.raw({ flags: 2, seq: 1000 }).wait(pause);
    expect(ladderOf(linear.raw({ flags: 2, seq: 1000 }))).toContain(
      'SYN sent again after 1.0 s, 1.0 s, 1.0 s: 1 s five times, then twice as long each time, as of Linux 6.5 and later, macOS',
    );
    expect(ladderOf(new Conversation().handshake()).join()).not.toContain('sent again');
  });

  it('tells a packet once, and keeps its poles where a path is long', () => {
    const conversation = new Conversation();
    conversation
      .raw({ flags: 2, seq: 1000 })
      .wait(1)
      .handshake()
      .data('client', `GET /${'long/'.repeat(20)} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const rungs = ladderOf(conversation).filter((line) => line.includes('│'));
    expect(new Set(rungs.map((line) => line.length)).size).toBe(1);
    expect(rungs.some((line) => /request GET \/long.*… ─▶│$/.test(line))).toBe(true);
    expect(new Set(rungs).size).toBe(rungs.length);
    const wide = ladderOf(conversation, 90).filter((line) => line.includes('│'));
    expect(new Set(wide.map((line) => line.length))).toEqual(new Set([90]));
  });
});
