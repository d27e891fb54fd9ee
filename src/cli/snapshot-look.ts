import type { Thresholds } from '../analyze/thresholds.js';
import { isRecording } from '../collect/is-recording.js';
import type { NamespaceOptions } from '../collect/options.js';
import type { LookObservation } from '../model/observation.js';
import type { Report } from '../model/report.js';
import { startWatch, step } from '../watch/step.js';
import { netnsOf } from './flags.js';
import type { SnapshotFlags } from './snapshot-flags.js';
import { wantsRows } from './snapshot-view.js';
import { UsageError } from './usage.js';

/** The file to read, `-` for stdin, `undefined` for this machine. Throws UsageError where two were named. */
export function savedPath(argument: string | undefined, from: string | undefined): string | undefined {
  if (argument !== undefined && from !== undefined && argument !== from) {
    throw new UsageError(
      `expected one file, got ${JSON.stringify(argument)} and --from ${JSON.stringify(from)}`,
    );
  }
  return from ?? argument;
}

/** One look at this machine, at saved output or into a recording; only what is needed for it is loaded. */
export async function lookOnce(
  path: string | undefined,
  flags: SnapshotFlags,
  thresholds: Thresholds,
): Promise<Report> {
  const config = { thresholds, oneLook: true };
  if (path !== undefined && flags.netns !== undefined)
    throw new UsageError(
      '--netns is for this machine: of a recording, --filter netns:NAME shows one namespace',
    );
  const isFile = path !== undefined && path !== '-';
  // With a moment it must be a recording: its reader says why it is none.
  if (isFile && (flags.at !== undefined || (await isRecording(path))))
    return (await import('./recorded-look.js')).reportAt(path, flags.at, config);
  if (flags.at !== undefined)
    throw new UsageError('--at is a moment of a recording: give one with --from FILE');
  return step(startWatch(config), await observation(path, flags)).report;
}

async function observation(path: string | undefined, flags: SnapshotFlags): Promise<LookObservation> {
  if (path !== undefined) return (await import('../collect/saved.js')).readSaved(path);
  return (await import('../collect/observe.js')).observeOnce(collectOptions(flags));
}

const collectOptions = (flags: SnapshotFlags): NamespaceOptions => ({
  netns: netnsOf(flags),
  source: flags.source,
  udp: flags.udp,
  unix: flags.unix,
  scope: wantsRows(flags) ? 'all' : 'troubled',
  owners: !flags['no-owners'],
  timeoutMs: flags.timeout,
});
