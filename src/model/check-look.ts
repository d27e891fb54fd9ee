import type { HostFacts } from './host-facts.js';
import type { Counters } from './observation.js';
import type { Report } from './report.js';

/** What happened since the run before, from the state file, or since the first look of this run. */
export interface Since {
  readonly windowMs: number;
  readonly counters: Counters;
  /** Dropped segments by key of the listener. */
  readonly drops: ReadonlyMap<string, number>;
  /** Nothing is known of a run before: the window began with the first look of this one. */
  readonly whileLooking?: true;
  /** The namespace was made within the window: its counters began at zero. */
  readonly isNew?: true;
}

/** One look, with all that a check may ask. */
export interface CheckLook {
  readonly report: Report;
  readonly facts: HostFacts;
  /** Absent: this run is a baseline. */
  readonly since?: Since | undefined;
}
