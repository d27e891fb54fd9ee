import { SourceError } from '../model/errors.js';
import { type Namespace, namespaceLabel } from '../model/namespace.js';
import type { Gap, MissingNamespace } from '../model/observation.js';
import type { FoundNamespace } from './namespaces.js';
import { NamespaceError } from './netns-enter.js';

/** One that a look could not read: it may not be entered, or has ended. */
export interface Unread {
  readonly kind: 'closed' | 'gone';
  readonly namespace: Namespace;
  readonly error: NamespaceError;
}
export const ended = ({ namespace, place }: FoundNamespace): Unread => ({
  kind: 'gone',
  namespace,
  error: new NamespaceError('missing', `the network namespace at ${place.path} is not there any more`),
});

export const asMissing = ({ kind, namespace, error: { fault, remedy } }: Unread): MissingNamespace => ({
  asked: namespaceLabel(namespace),
  why: `network namespace ${JSON.stringify(namespaceLabel(namespace))} ${kind === 'closed' ? 'could not be entered: not allowed' : 'is not there any more'}`,
  fault,
  ...(remedy !== undefined && { remedy }),
});

/** The one that is missing for want of a privilege is the one to mend. */
export function noneThere(first: MissingNamespace, all: readonly MissingNamespace[]): SourceError {
  const { fault, remedy } = all.find((one) => one.fault !== 'missing') ?? first;
  return new SourceError(fault, all.map(({ why }) => why).join('; '), remedy);
}

/** In quotation marks --redact hides it. */
export const missingGap = ({ asked, why, remedy }: MissingNamespace): Gap => ({
  what: `netns ${JSON.stringify(asked)}`,
  why: `not looked into: ${why}${remedy === undefined ? '' : `: ${remedy}`}`,
});

/** Counted, not one line each. */
export function closedGaps(closed: number, hiddenProcesses: number, isProcOnly: boolean): Gap[] {
  const gaps: Gap[] = [];
  const tell = (why: string) => gaps.push({ what: 'namespaces', why });
  if (closed > 0 && isProcOnly)
    tell(`${counted(closed, 'namespace')} without a process could not be read: /proc/net is of processes`);
  else if (closed > 0)
    tell(`${ofOthers(closed, 'namespace')} could not be entered: ${remedy('CAP_SYS_ADMIN')}`);
  if (hiddenProcesses > 0)
    tell(
      `those of ${ofOthers(hiddenProcesses, 'process', 'es')} could not be seen: ${remedy('CAP_SYS_PTRACE')}`,
    );
  return gaps;
}

const isRoot = () => process.getuid?.() === 0;

/** For root there are no other users, but capabilities that were taken away, and security modules. */
const remedy = (capability: string) =>
  isRoot() ? `needs ${capability}, and no security module against it` : `run as root or with ${capability}`;

const counted = (count: number, noun: string, ending = 's') => `${count} ${noun}${count === 1 ? '' : ending}`;

function ofOthers(count: number, noun: string, ending?: string): string {
  const things = counted(count, noun, ending);
  return isRoot() ? things : `${things} of ${count === 1 ? 'another user' : 'other users'}`;
}
