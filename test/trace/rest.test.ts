import { expect, it } from 'vitest';
import type { TraceConnection } from '../../src/model/trace.js';
import { CaptureReader } from '../../src/parse/capture/index.js';
import { Trace } from '../../src/trace/index.js';
import { Conversation, pcap } from '../support/packets.js';

it('tells what is still open at the end in pieces, in the order of first packets', () => {
  const open = 2500;
  const syns = Array.from({ length: open }, (_, index) =>
    new Conversation(1_700_000_000, { client: 10_000 + index, server: 80 }).syn(),
  ).flatMap(({ packets }) => packets);
  const told: TraceConnection[] = [];
  const trace = new Trace({ detail: 'connections' }, { connection: (one) => told.push(one) });
  const reader = new CaptureReader((batch) => trace.write(batch), { epochSeconds: undefined });
  reader.write(pcap(syns));
  reader.end();
  const rest = trace.rest();
  expect(rest.next().done).toBe(false);
  expect(told).toHaveLength(1000);
  expect([...rest]).toHaveLength(1);
  expect(told.map(({ id }) => id)).toEqual(Array.from({ length: open }, (_, index) => index + 1));
  expect(trace.end().summary.connections).toBe(open);
  expect(told).toHaveLength(open);
});
