import { parseTraceFilter } from '../analyze/trace-filter.js';
import { type CaptureInput, readCaptures } from '../collect/capture.js';
import type { CaptureClock, CaptureInfo, PacketBatch } from '../model/packets.js';
import type { TraceConnection } from '../model/trace.js';
import { Trace, type TraceOptions, type TraceResult } from '../trace/index.js';
import { asUsage } from './flags.js';
import { Outbox } from './outbox.js';
import type { TraceWriter } from './pcap-output.js';
import { type Bound, parseBound, resolveBound } from './pcap-window.js';
import { UsageError } from './usage.js';

/** What decides which packets and connections are analysed. */
export interface TraceWish {
  readonly filter?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly queries: boolean;
  readonly follow?: number | undefined;
  readonly top?: number | undefined;
}

export interface Analysis {
  readonly result: TraceResult;
  readonly info: CaptureInfo;
  /** Nobody reads the output any more. */
  readonly closed: boolean;
}

const TICK_MS = 500;

type Source = (sink: (batch: PacketBatch) => void, input: CaptureInput) => Promise<CaptureInfo>;

/**
 * Analyses what the source gives, and writes connections to stdout as they end where there is a writer.
 * Throws UsageError for a filter or a bound that cannot be read, SockwatchError where the source cannot.
 */
export async function analyse(
  source: Source,
  wish: TraceWish,
  writer: TraceWriter | undefined,
  input: CaptureInput = {},
  isLive = false,
): Promise<Analysis> {
  const plan = planOf(wish, writer !== undefined);
  const clock: CaptureClock = { epochSeconds: undefined };
  const outbox = new Outbox(process.stdout);
  const stop = new AbortController();
  const epoch = () => clock.epochSeconds ?? 0;
  const begin = (first: number) => {
    writer?.head(outbox.text, epoch());
    const connection = (one: TraceConnection) => {
      if (!outbox.closed) writer?.connection(outbox.text, one, epoch());
    };
    return new Trace(plan(epoch(), first), writer && { connection });
  };
  let trace: Trace | undefined;
  const sink = (batch: PacketBatch) => {
    trace ??= begin(batch.nanos[0] ?? 0);
    trace.write(batch);
  };
  const flush = async () => {
    await outbox.flush();
    if (outbox.closed) stop.abort();
  };
  // Where nothing comes any more, time goes on all the same.
  const tick = () => {
    trace?.tick((Date.now() / 1000 - epoch()) * 1e9);
    void flush();
  };
  const timer = isLive ? setInterval(tick, TICK_MS) : undefined;
  const signal = input.signal ? AbortSignal.any([input.signal, stop.signal]) : stop.signal;
  const info = await source(sink, { ...input, clock, between: flush, signal }).finally(() =>
    clearInterval(timer),
  );
  trace ??= begin(0);
  for (const _ of trace.rest()) {
    if (outbox.closed) break;
    await outbox.flush();
  }
  const dropped = info.files.reduce((sum, file) => sum + (file.dropped ?? 0), 0);
  const result = trace.end(dropped);
  writer?.tail(outbox.text, result, info);
  await flush();
  return { result, info, closed: outbox.closed };
}

export const filesSource =
  (paths: readonly string[]): Source =>
  (sink, input) =>
    readCaptures(paths, sink, input);

/** Reads what the user asked for once, before any packet; the bounds wait for the first one. */
function planOf(wish: TraceWish, tellsAll: boolean): (epochSeconds: number, first: number) => TraceOptions {
  const wants = wish.filter?.trim() ? asUsage(() => parseTraceFilter(wish.filter ?? '')) : undefined;
  const since = readBound(wish.since, '--since');
  const until = readBound(wish.until, '--until');
  return (epochSeconds, first) => {
    const from = since && resolveBound(since, epochSeconds, first);
    const to = until && resolveBound(until, epochSeconds, first);
    if (from !== undefined && to !== undefined && from > to)
      throw new UsageError('--since is later than --until: no packet lies between them');
    return {
      detail: tellsAll ? 'connections' : 'totals',
      keepQueries: wish.queries,
      ...(wish.top !== undefined && { top: wish.top }),
      ...(wish.follow !== undefined && { follow: wish.follow }),
      ...(wants && { wants }),
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
    };
  };
}

const readBound = (text: string | undefined, flag: string): Bound | undefined =>
  text === undefined ? undefined : asUsage(() => parseBound(text, flag));
