import type { Status } from './check.js';
import type { Namespace } from './namespace.js';
import type { Counters, NetnsMark } from './observation.js';

/** A listener as the run before saw it. */
export interface KnownListener {
  /** `0.0.0.0:443`: with the key, what tells one socket from another that got its inode. */
  readonly local: string;
  readonly cookie?: string;
  readonly drops: number;
}

/** A network namespace as the run before saw it. */
export interface KnownNamespace {
  readonly namespace: Namespace;
  readonly mark?: NetnsMark;
  /** Absent: it was found and could not be read. */
  readonly counters?: Counters;
  /** Found, and not asked for: it was there, and is no news. */
  readonly isOther?: true;
}

/** What a run of `check` leaves for the next one of the same check (OPS.md 2). */
export interface CheckState {
  /** Which check it belongs to: a hash of what it measures. */
  readonly check: string;
  readonly bootId?: string;
  readonly netns?: string;
  readonly netnsMark?: NetnsMark;
  /** Wall clock, ms; and CLOCK_MONOTONIC, ms, which counts within one boot. */
  readonly time: number;
  readonly monotonic: number;
  readonly counters: Counters;
  /** With `--netns` of all or several: each that was found, by id. */
  readonly namespaces?: ReadonlyMap<string, KnownNamespace>;
  /** From where they were looked for; absent: there may have been others. */
  readonly sight?: string;
  /** By key: namespace and inode. */
  readonly listeners: ReadonlyMap<string, KnownListener>;
  /** What the last runs said of each measure on their own, the newest last. */
  readonly history: ReadonlyMap<string, readonly Status[]>;
  /** What was printed last, and when. */
  readonly told?: Told;
}

export interface Told {
  readonly status: Status;
  /** Names and statuses of what was wrong: another list is news. */
  readonly problems: readonly string[];
  readonly time: number;
}
