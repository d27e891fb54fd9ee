import type { Demo } from '../collect/demo.js';
import type { Pace } from '../collect/options.js';
import type { Gap } from '../model/observation.js';
import type { ReplayControl } from '../model/replay.js';
import type { Report } from '../model/report.js';
import type { Ending } from './ending.js';
import type { LiveOptions } from './live-options.js';

/** Everything that `live` shows, and what it started for that. */
export interface LiveSession {
  /** As asked for; with --demo the filter knows the demo's port. */
  readonly options: LiveOptions;
  readonly reports: AsyncIterable<Report>;
  readonly pace: Pace;
  readonly demo: Demo | undefined;
  /** Set where a recording is shown. */
  readonly control: ReplayControl | undefined;
  readonly ending: Ending;
  /** Ends demo and alert program (`drain`: once the alerts have been handed over); gives what no report said any more. */
  close(how: { drain: boolean }): Promise<readonly Gap[]>;
}
