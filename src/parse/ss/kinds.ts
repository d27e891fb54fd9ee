import { HASH, hashText } from '../bytes.js';
import type { Facts } from './facts.js';
import type { Scanner } from './scanner.js';
import { findTag, tagKind, UNKNOWN_TAG } from './tags.js';

/** What a line is that is no row. */
export type LineKind = 'header' | 'details' | 'noise' | 'complaint' | 'other program' | 'unknown';

const HEADERS: ReadonlySet<number> = new Set(['Netid', 'State', 'Recv-Q', 'Local'].map(hashText));

/** What iproute2 says on stderr, which `2>&1` mixes in. */
const NOISE = ['Failed to find cgroup2 mount', 'RTNETLINK answers:'];
const COMPLAINTS = ['ss: ', 'Cannot open netlink socket', 'Error: '];

/** The kind of a line that is not indented and no row. */
export function kindOf(line: Scanner): LineKind {
  line.pos = line.start;
  line.word();
  const text = line.text(line.start, Math.min(line.end, line.start + 300));
  if (HEADERS.has(line.hash) && text.includes('Address:Port')) return 'header';
  if (text.startsWith('Proto ') && text.includes('Foreign Address')) return 'other program';
  if (line.bytes[line.start] === HASH || NOISE.some((noise) => text.startsWith(noise))) return 'noise';
  if (COMPLAINTS.some((complaint) => text.startsWith(complaint))) return 'complaint';
  return beginsWithTag(line) ? 'details' : 'unknown';
}

/** Old samples have lost the indent of their lines of details. */
function beginsWithTag({ bytes, start, end }: Scanner): boolean {
  let hash = 0;
  for (let at = start; at < end && bytes[at] !== 58 && bytes[at] !== 32; at++)
    hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0;
  return tagKind[findTag(hash)] !== UNKNOWN_TAG;
}

export function noteHeader(line: Scanner, { evidence }: Facts): void {
  evidence.header = true;
  evidence.processHeader ||= line.text(line.start, line.end).includes('Process');
}
