import type { DiagnosisFacts } from '../../model/diagnosis.js';
import type { Rule } from '../../model/findings.js';
import type { Gap } from '../../model/observation.js';
import { counted, duration } from '../words.js';

const ENOUGH = { looks: 3, ms: 1000 };

/** Rules that find nothing in less: those that want time as well, and those that want looks only. */
const OF_TIME: readonly Rule[] = [
  'app_not_reading',
  'peer_not_reading',
  'pool_exhausted',
  'pool_waiting',
  'pool_oversized',
];
const OF_LOOKS: readonly Rule[] = ['close_wait_leak', 'retry_storm'];

/** The rules that this watch was too short for, in one line: that they find nothing is no good news. */
export function tooShortGap({ looks, watchedMs }: Pick<DiagnosisFacts, 'looks' | 'watchedMs'>): Gap[] {
  if (looks >= ENOUGH.looks && watchedMs >= ENOUGH.ms) return [];
  const rules = looks < ENOUGH.looks ? [...OF_TIME, ...OF_LOOKS] : OF_TIME;
  const within = looks < ENOUGH.looks ? '' : ` in ${duration(watchedMs)}`;
  return [{ what: `not judged with ${counted(looks, 'look')}${within}`, why: rules.join(', ') }];
}
