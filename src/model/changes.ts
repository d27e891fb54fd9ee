import type { Evidence } from './findings.js';
import type { Namespace } from './namespace.js';

/** What a change is about: a namespace, a listening socket, the processes that hold it, or its hand-over to another process. */
export const CHANGE_KINDS = ['namespace', 'listener', 'owner', 'takeover'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** Something that came, went or changed hands between two looks: said once, and never an alert. */
export interface Change {
  readonly kind: ChangeKind;
  /** Wall clock, ms, of the look that first saw it. */
  readonly time: number;
  readonly netns?: string;
  /** That came, or went. */
  readonly namespace?: Namespace;
  readonly isEnd?: true;
  /** Key of the listener; id of the namespace. */
  readonly subject: string;
  /** Keys of the other listeners, where it is about many at once. */
  readonly others?: readonly string[];
  /** `0.0.0.0:443`; `netns web`. */
  readonly subjectText: string;
  /** `taken over by nginx/812, was nginx/640`. */
  readonly message: string;
  readonly evidence: readonly Evidence[];
}
