import { readDescriptorsOf } from '../collect/descriptors.js';
import type { ProcessDescriptors } from '../model/diagnosis.js';
import type { Gap } from '../model/observation.js';

/** More processes than this are not asked for their descriptors, which is said. */
const MOST_PROCESSES = 1000;

/** Open descriptors and limits of processes, by pid and name; what is not known becomes a gap. */
export function descriptorsOf(
  names: ReadonlyMap<number, string>,
  proc: string,
  gaps: Gap[],
): ProcessDescriptors[] {
  const found = readDescriptorsOf(names.keys(), proc, MOST_PROCESSES);
  const missing = names.size - found.size;
  if (missing > 0)
    gaps.push({
      what: 'descriptors',
      why: `not known of ${missing} of ${names.size} processes with sockets: they have ended, or this user may not read them`,
    });
  return [...found].map(([pid, files]) => ({
    owner: { pid, fd: -1, name: names.get(pid) ?? '' },
    ...files,
  }));
}
