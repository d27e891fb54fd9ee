import { formatEndpoint } from '../../model/endpoint.js';
import type { Evidence } from '../../model/findings.js';
import type { Pool, PoolFinding, PoolsSeen } from '../../model/pools.js';
import { TRAFFIC_SHAPES, type TrafficShape, type TrafficShapes } from '../../model/traffic.js';
import { count, duration, ownerText } from '../words.js';

/** What a rule says of a pool; the rest of the finding follows from the pool. */
export type Said = Omit<PoolFinding, 'subject' | 'pool'>;

export function processText({ owner }: Pick<Pool, 'owner'>): string {
  if (owner === 'shared') return 'one of several processes';
  if (owner === 'none') return 'connections of no process any more';
  return owner === 'unknown' ? 'an unknown process' : ownerText([owner]);
}

/** `10.0.0.9:3306 (mysql)` */
export function endText({ end, service }: Pick<Pool, 'end' | 'service'>): string {
  const text = formatEndpoint(end);
  return service === undefined ? text : `${text} (${service})`;
}

/** Raw: renderers clean it. */
export const subjectOf = (pool: Pool): string =>
  `${processText(pool)} ${pool.direction === 'outbound' ? '>' : '<'} ${formatEndpoint(pool.end)}`;

export const fact = (metric: string, value: number, unit: string, text: string): Evidence => ({
  metric,
  value,
  unit,
  text,
});

/** `4.2`, `130` */
export const perSecondText = (value: number): string => (value < 99.95 ? value.toFixed(1) : value.toFixed(0));

const SHAPE_WORDS: Readonly<Record<TrafficShape, string>> = {
  push: 'one way only, as a stream or server-sent events',
  two_way: 'both ways without requests and answers, as a WebSocket',
  request_response: 'requests and answers',
  silent: 'silent',
  unknown: 'not to be told',
};

/** `2 silent, 1 one way only, as a stream or server-sent events` */
export const shapesText = (shapes: TrafficShapes): string =>
  TRAFFIC_SHAPES.filter((shape) => shapes[shape] > 0)
    .map((shape) => `${count(shapes[shape])} ${SHAPE_WORDS[shape]}`)
    .join(', ');

/** What is shorter than this hardly ever falls into a look. */
const FAR_APART_MS = 2000;

/** Of looks far apart, as in many a recording, a lower bound is far too low. */
export const apartText = ({ apartMs }: Pick<PoolsSeen, 'apartMs'>): string =>
  apartMs === undefined || apartMs < FAR_APART_MS
    ? ''
    : `; looks were up to ${duration(apartMs)} apart, and what was shorter mostly fell between two of them`;
