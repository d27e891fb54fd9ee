import type { SamplesObservation } from '../../src/model/observation.js';
import type { SampledFamily } from '../../src/model/samples.js';
import { millis, monotonicMillis } from '../../src/model/units.js';
import { SampleBook } from '../../src/parse/netlink/sample-book.js';
import { look } from './table-builder.js';

/** The samples of one listener, one each 10 ms, that end at a time; those that nobody took are left out at the front. */
export interface QueueSamples {
  readonly key: string;
  readonly lengths: readonly number[];
  readonly backlog?: number;
  /** Its counter of dropped segments at each sample. */
  readonly drops?: readonly number[];
  readonly port?: number;
}

export const SAMPLE_MS = 10;

/** A batch of samples that ends at `atMs`, counted as the collector counts them. */
export function samplesAt(
  atMs: number,
  queues: QueueSamples | readonly QueueSamples[],
  {
    looks = 0,
    family = 'tcp' as SampledFamily,
    netns,
  }: { looks?: number; family?: SampledFamily; netns?: string } = {},
): SamplesObservation {
  const list = Array.isArray(queues) ? (queues as readonly QueueSamples[]) : [queues as QueueSamples];
  const count = Math.max(looks, ...list.map(({ lengths }) => lengths.length));
  const book = new SampleBook();
  const time = (sample: number) => atMs - (count - 1 - sample) * SAMPLE_MS;
  // A look before the batch: what is counted then is not new.
  book.open(time(-1));
  for (const [id, queue] of list.entries())
    if (queue.lengths.length === count) put(book, id + 1, queue, 0, true);
  book.take();
  for (let sample = 0; sample < count; sample++) {
    book.open(time(sample));
    for (const [id, queue] of list.entries()) {
      const at = sample - (count - queue.lengths.length);
      if (at >= 0) put(book, id + 1, queue, at, false);
    }
  }
  const { origin } = look(atMs, []);
  return {
    kind: 'samples',
    origin: netns === undefined ? origin : { ...origin, netns },
    family,
    from: monotonicMillis(time(0)),
    to: monotonicMillis(atMs),
    looks: count,
    longestGapMs: millis(SAMPLE_MS),
    listeners: book.take(),
  };
}

function put(book: SampleBook, id: number, queue: QueueSamples, at: number, isBefore: boolean): void {
  const { key, lengths, backlog = 9, drops = [], port = 443 } = queue;
  const name = {
    key,
    local: { kind: 'ip', address: { family: 4, words: [0, 0, 0, 0] }, port } as const,
  };
  const dropped = isBefore ? 0 : (drops[at] ?? drops.at(-1) ?? 0);
  const found = book.find(id, id);
  book.put(
    found >= 0 ? found : book.add(id, id, name, dropped),
    isBefore ? 0 : (lengths[at] ?? 0),
    backlog,
    dropped,
  );
}
