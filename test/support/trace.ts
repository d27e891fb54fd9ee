import { readCaptures } from '../../src/collect/capture.js';
import { formatEndpoint } from '../../src/model/endpoint.js';
import type { CaptureInfo } from '../../src/model/packets.js';
import type { TraceConnection } from '../../src/model/trace.js';
import { CaptureReader } from '../../src/parse/capture/index.js';
import { Trace, type TraceOptions, type TraceResult } from '../../src/trace/index.js';

export interface Traced {
  readonly connections: readonly TraceConnection[];
  readonly result: TraceResult;
  readonly info: CaptureInfo;
}

/** Every connection of captures, in the order of their first packets. */
export async function traceFiles(
  paths: readonly string[],
  options: Partial<TraceOptions> = {},
): Promise<Traced> {
  const connections: TraceConnection[] = [];
  const trace = new Trace(
    { detail: 'connections', ...options },
    { connection: (one) => connections.push(one) },
  );
  const info = await readCaptures(paths, (batch) => trace.write(batch));
  const result = trace.end();
  return { connections: connections.sort((a, b) => a.id - b.id), result, info };
}

export const endsOf = ({ client, server }: TraceConnection): string =>
  `${formatEndpoint(client)} > ${formatEndpoint(server)}`;

/** The same for a capture in memory, handed over in pieces of `piece` bytes. */
export function traceBytes(
  bytes: Uint8Array,
  options: Partial<TraceOptions> = {},
  piece = 1 << 16,
): Traced & { readonly fault?: string } {
  const connections: TraceConnection[] = [];
  const trace = new Trace(
    { detail: 'connections', ...options },
    { connection: (one) => connections.push(one) },
  );
  const clock = { epochSeconds: undefined as number | undefined };
  const reader = new CaptureReader((batch) => trace.write(batch), clock);
  for (let at = 0; at < bytes.length; at += piece) reader.write(bytes.subarray(at, at + piece));
  reader.end();
  const result = trace.end();
  const file = reader.file('memory');
  const info = {
    files: [file],
    epochSeconds: clock.epochSeconds ?? 0,
    packets: file.packets,
    bytes: bytes.length,
  };
  return {
    connections: connections.sort((a, b) => a.id - b.id),
    result,
    info,
    ...(file.fault && { fault: file.fault.message }),
  };
}
