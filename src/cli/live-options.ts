import type { Interfaces } from '@oclif/core';
import type { Filter } from '../analyze/filter.js';
import type { Thresholds } from '../analyze/thresholds.js';
import type { CommandWords } from '../collect/alert-program.js';
import type { NamespaceOptions } from '../collect/options.js';
import type { Names } from '../render/names.js';
import { readFilter } from './filter.js';
import { asUsage, netnsOf } from './flags.js';
import type { liveFlags } from './live-flags.js';
import type { LiveMode } from './live-mode.js';
import { namesFor } from './names.js';
import { splitCommand } from './split-command.js';
import { readThresholds } from './thresholds.js';
import { UsageError } from './usage.js';

export type LiveFlags = Interfaces.InferredFlags<typeof liveFlags>;

/** What the flags mean, read before anything is started. */
export interface LiveOptions {
  readonly flags: LiveFlags;
  readonly mode: LiveMode;
  readonly collect: NamespaceOptions;
  readonly thresholds: Thresholds;
  readonly filter: Filter | undefined;
  readonly alertCommand: CommandWords | undefined;
  readonly names: Names;
}

/** @throws UsageError for a filter, a threshold or a command that means nothing, or flags that exclude each other */
export function readLiveOptions(flags: LiveFlags, mode: LiveMode): LiveOptions {
  if (flags.redact && mode === 'screen') {
    throw new UsageError('--redact hides nothing on the screen: use --format lines or ndjson');
  }
  const command = flags['on-alert'];
  return {
    flags,
    mode,
    collect: collectOptions(flags, mode),
    thresholds: readThresholds(flags),
    filter: readFilter(flags.filter),
    alertCommand: command === undefined ? undefined : asUsage(() => splitCommand(command, '--on-alert')),
    names: namesFor(flags),
  };
}

/** Whether connections are wanted: on the screen they are, elsewhere only when asked for. */
export const wantsConnections = (flags: LiveFlags, mode: LiveMode): boolean =>
  flags.connections ?? mode === 'screen';

const collectOptions = (flags: LiveFlags, mode: LiveMode): NamespaceOptions => ({
  netns: netnsOf(flags),
  source: flags.source,
  udp: flags.udp,
  unix: flags.unix,
  scope: wantsConnections(flags, mode) ? 'all' : 'troubled',
  owners: !flags['no-owners'],
  stack: true,
  timeoutMs: flags.timeout,
  closed: flags.closed,
  sampleHz: flags['sample-rate'],
});
