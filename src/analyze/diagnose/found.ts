import type { DiagnosisFacts, DiagnosisFinding, Need, Subject } from '../../model/diagnosis.js';
import { type Endpoint, formatEndpoint } from '../../model/endpoint.js';
import type { PoolDirection } from '../../model/pools.js';
import type { Owner } from '../../model/sockets.js';
import { ownerText } from '../words.js';

/** What a rule says; why it matters follows from its name unless it says so itself. */
export type Found = Omit<DiagnosisFinding, 'subject' | 'why' | 'settings' | 'causedBy'> & {
  readonly why?: string;
  readonly settings?: readonly string[];
};

/** One topic: what it needs to say anything, and what it finds. Pure. */
export interface DiagnosisRule {
  readonly name: string;
  /** What it asks, for the list of what could not be looked at. */
  readonly asks: string;
  readonly needs: readonly Need[];
  readonly judge: (facts: DiagnosisFacts) => readonly Found[];
}

type AnyOwner = Owner | 'none' | 'unknown';

/** `nginx/812`, `no process any more`. Raw: renderers clean it. */
export function whoText(owner: AnyOwner): string {
  if (owner === 'none') return 'no process any more';
  return owner === 'unknown' ? 'an unknown process' : ownerText([owner]);
}

export const ownerOf = (owner: AnyOwner): Pick<Subject, 'owner'> =>
  typeof owner === 'object' ? { owner } : {};

/** `to 10.0.0.9:3306`, `on 0.0.0.0:443`. */
export const towards = (direction: PoolDirection, end: Endpoint): string =>
  `${direction === 'outbound' ? 'to' : 'on'} ${formatEndpoint(end)}`;

export const endOf = (direction: PoolDirection, end: Endpoint): Subject =>
  direction === 'outbound' ? { remote: end } : { local: end };

/** A setting as a number; `undefined` where it could not be read or is none. */
export function settingOf({ stack }: DiagnosisFacts, name: string): number | undefined {
  const text = stack?.last.settings[name];
  return text === undefined || !/^-?\d+$/.test(text) ? undefined : Number(text);
}

/** How far a counter rose during the watch; `undefined`: unknown. */
export const risen = ({ counters }: DiagnosisFacts, name: string): number | undefined => counters?.[name];

/** Whether attempts whose last trouble was so long ago still count. */
export const isCurrent = (ms: number | undefined, { currentMs }: DiagnosisFacts): boolean =>
  currentMs === undefined || (ms ?? Number.POSITIVE_INFINITY) <= currentMs;
