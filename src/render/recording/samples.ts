import type { Endpoint } from '../../model/endpoint.js';
import { formatIp } from '../../model/ip.js';
import type { SamplesObservation } from '../../model/observation.js';
import type { ListenerSamples } from '../../model/samples.js';
import type { Names } from '../names.js';

/** A batch of samples as a frame has it. Times are monotonic, ms. */
export const samplesFields = (
  { family, from, to, looks, longestGapMs, listeners }: SamplesObservation,
  names: Names,
): object => ({
  family,
  from: round(from),
  to: round(to),
  looks,
  gap_ms: round(longestGapMs),
  ...(listeners.length > 0 && { listeners: listeners.map((samples) => samplesList(samples, names)) }),
});

/** One listener as a list (`SAMPLES` of model/recording.ts). */
function samplesList(samples: ListenerSamples, names: Names): unknown[] {
  const { full, dropped, local } = samples;
  return [
    samples.key,
    samples.samples,
    samples.busy,
    samples.peak,
    round(samples.peakAt),
    samples.isPeakBrief ? 1 : 0,
    samples.sum,
    samples.backlog,
    samples.fills.flat(),
    full === undefined ? [] : [full.runs, round(full.firstAt), round(full.lastAt), round(full.longestMs)],
    dropped === undefined ? [] : [dropped.segments, round(dropped.lastAt)],
    local === undefined ? [] : endpointList(local, names),
  ];
}

/** A path alone; or address, port and device. */
function endpointList(end: Endpoint, names: Names): unknown[] {
  if (end.kind === 'unix') return [names.endpoint(end)];
  const { device, ...bare } = end;
  const address = names.redacted ? names.host(bare) : formatIp(end.address);
  return [address, end.port ?? 0, device === undefined ? '' : names.device(device)];
}

const round = (value: number) => Math.round(value * 1000) / 1000;
