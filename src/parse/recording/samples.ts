import type { Endpoint } from '../../model/endpoint.js';
import { ParseError } from '../../model/errors.js';
import { parseIp } from '../../model/ip.js';
import type { Origin, SamplesObservation } from '../../model/observation.js';
import { SAMPLES } from '../../model/recording.js';
import { FILL_BINS, type FullRuns, type ListenerSamples, SAMPLED_FAMILIES } from '../../model/samples.js';
import { connections, millis, monotonicMillis, segments } from '../../model/units.js';
import { asList, asNumber, asText, Fields } from './fields.js';

/** More than are ever sampled: a forged recording ends here. */
const MOST_LISTENERS = 1 << 16;

/** More batches than come between two looks. */
const MOST_BATCHES = 10_000;

/** Reads what was sampled before a frame; recordings without samples have none. Throws ParseError that names `where`. */
export function readSamples(frame: Fields, where: string): (origin: Origin) => SamplesObservation[] {
  const list = frame.has('samples') ? frame.list('samples') : [];
  if (list.length > MOST_BATCHES)
    throw new ParseError(`${where}, samples`, `at most ${MOST_BATCHES}`, String(list.length));
  const batches = list.map((value, at) => readBatch(Fields.of(value, `${where}, samples ${at + 1}`), where));
  return (origin) =>
    batches.map(({ netns, ...batch }) => ({
      ...batch,
      kind: 'samples',
      origin: netns === undefined ? origin : { ...origin, netns },
    }));
}

type Batch = Omit<SamplesObservation, 'kind' | 'origin'> & { readonly netns: string | undefined };

function readBatch(fields: Fields, where: string): Batch {
  const family = fields.oneOf('family', SAMPLED_FAMILIES);
  const [from, to] = [monotonicMillis(fields.number('from')), monotonicMillis(fields.number('to'))];
  const looks = asCount(fields.number('looks'), `${where}, looks`);
  const longestGapMs = millis(Math.max(0, fields.number('gap_ms')));
  const list = fields.has('listeners') ? fields.list('listeners') : [];
  if (list.length > MOST_LISTENERS)
    throw new ParseError(`${where}, listeners`, `at most ${MOST_LISTENERS}`, String(list.length));
  const listeners = list.map((value, at) => readListener(value, `${where}, listener ${at + 1}`));
  const netns = fields.has('netns') ? fields.text('netns') : undefined;
  return { netns, family, from, to, looks, longestGapMs, listeners };
}

function readListener(value: unknown, where: string): ListenerSamples {
  const list = asList(value, where);
  const number = (place: keyof typeof SAMPLES) => asNumber(list[SAMPLES[place]], `${where}, ${place}`);
  const count = (place: keyof typeof SAMPLES) => asCount(number(place), `${where}, ${place}`);
  const part = (place: keyof typeof SAMPLES) => asList(list[SAMPLES[place]], `${where}, ${place}`);
  const full = part('full');
  const dropped = part('dropped');
  const local = part('local');
  return {
    key: asText(list[SAMPLES.key], `${where}, key`),
    samples: count('samples'),
    busy: count('busy'),
    peak: connections(count('peak')),
    peakAt: monotonicMillis(number('peakAt')),
    isPeakBrief: number('isPeakBrief') !== 0,
    sum: count('sum'),
    backlog: connections(count('backlog')),
    fills: readFills(part('fills'), where),
    ...(full.length > 0 && { full: readRuns(full, where) }),
    ...(dropped.length > 0 && {
      dropped: {
        segments: segments(asCount(asNumber(dropped[0], where), where)),
        lastAt: monotonicMillis(asNumber(dropped[1], where)),
      },
    }),
    ...(local.length > 0 && { local: readEndpoint(local, where) }),
  };
}

/** Pairs of bin and count. */
function readFills(list: readonly unknown[], where: string): ListenerSamples['fills'] {
  if (list.length > 2 * FILL_BINS)
    throw new ParseError(`${where}, fills`, `at most ${FILL_BINS} bins`, String(list.length / 2));
  const fills: (readonly [number, number])[] = [];
  for (let at = 0; at < list.length; at += 2) {
    const bin = asCount(asNumber(list[at], where), where);
    if (bin >= FILL_BINS) throw new ParseError(`${where}, fills`, `a bin below ${FILL_BINS}`, String(bin));
    fills.push([bin, asCount(asNumber(list[at + 1], where), where)]);
  }
  return fills;
}

function readRuns([runs, firstAt, lastAt, longestMs]: readonly unknown[], where: string): FullRuns {
  const at = `${where}, full`;
  return {
    runs: asCount(asNumber(runs, at), at),
    firstAt: monotonicMillis(asNumber(firstAt, at)),
    lastAt: monotonicMillis(asNumber(lastAt, at)),
    longestMs: Math.max(0, asNumber(longestMs, at)),
  };
}

function readEndpoint([host, port, device]: readonly unknown[], where: string): Endpoint {
  const text = asText(host, `${where}, local`);
  if (port === undefined) return { kind: 'unix', path: text };
  const address = parseIp(text);
  if (address === undefined) throw new ParseError(`${where}, local`, 'an address', text);
  const name = asText(device, `${where}, local`);
  const number = asCount(asNumber(port, `${where}, local`), `${where}, local`);
  return {
    kind: 'ip',
    address,
    ...(number > 0 && { port: number }),
    ...(name !== '' && { device: name }),
  };
}

function asCount(value: number, where: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new ParseError(where, 'a whole number', String(value));
}
