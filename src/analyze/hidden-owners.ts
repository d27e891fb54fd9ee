import type { Gap } from '../model/observation.js';
import type { Report } from '../model/report.js';

/** As the collector says it while sockets have owners that it may not see; of another namespace, that is named before. */
export const isHiddenOwners = ({ what, why }: Gap): boolean =>
  (what === 'owners' || what.endsWith(': owners')) && why.startsWith('hidden');

/** The gaps of a report without what one of its findings says: people are told each thing once, programs find it where they look for it. */
export function gapsToSay({ gaps, findings }: Pick<Report, 'gaps' | 'findings'>): readonly Gap[] {
  const isSaid = findings.some(({ rule }) => rule === 'owners_hidden');
  return isSaid ? gaps.filter((gap) => !isHiddenOwners(gap)) : gaps;
}
