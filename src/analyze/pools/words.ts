import { formatEndpoint } from '../../model/endpoint.js';
import type { Evidence } from '../../model/findings.js';
import type { Pool, PoolFinding } from '../../model/pools.js';
import { ownerText } from '../words.js';

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
