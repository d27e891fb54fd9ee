import { type Filter, parseFilter } from '../analyze/filter.js';
import { asUsage } from './flags.js';

/** The filter of `--filter`; none where the text is empty. Throws UsageError that says where it is wrong. */
export const readFilter = (text: string | undefined): Filter | undefined =>
  text === undefined || text.trim() === '' ? undefined : asUsage(() => parseFilter(text));
