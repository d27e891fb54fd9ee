import type { Interfaces } from '@oclif/core';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { CONNECTION_KEYS } from '../analyze/check/connections.js';
import { METRIC_SPECS } from '../analyze/check/metrics.js';
import { METRICS } from '../model/check.js';
import { CHECK_FORMATS } from './check-formats.js';
import { configFlags, netnsFlags, redactFlag, sourceFlags } from './flags.js';

const many = (description: string, helpValue: string, char?: 'm' | 'w' | 'c') =>
  Flags.string({ multiple: true, multipleNonGreedy: true, description, helpValue, ...(char && { char }) });
const one = (description: string, helpValue: string) => Flags.string({ description, helpValue });

// No defaults here: what is not given may stand in the configuration.
const whatFlags = {
  metric: many(
    `what to check, may be repeated or listed (accept-queue,overflows): ${METRICS.join(', ')}`,
    'NAME',
    'm',
  ),
  warning: many(
    'a range of the monitoring plugins that is no warning, as 80, @80:, 10:20; METRIC=RANGE for one of several',
    'RANGE',
    'w',
  ),
  critical: many('the same for critical', 'RANGE', 'c'),
  port: many('only listeners on this port', '443'),
  listener: many('only this listener', 'ADDR:PORT'),
  unix: many('only this Unix listener', 'PATH'),
  expect: many('critical when nothing listens there, or not that process', '443[=NAME]'),
  by: Flags.option({ options: CONNECTION_KEYS, description: 'count the metric "connections" by this' })(),
  filter: one('only listeners and connections that match', "'port:443 -remote:10.0.0.0/8'"),
};

const howFlags = {
  samples: one('look so many times (default 1, for the metric diagnosis 3); the highest value counts', '10'),
  every: one('time between two looks (default 100ms, for the metric diagnosis 500ms)', '100ms'),
  'sample-rate': one(
    'with --samples: how often accept queues are sampled between two looks, per second (default 100); 0: not at all. Netlink only',
    '100',
  ),
  for: one('a problem counts once so many of the last runs saw it', '2/3'),
  renotify: one(
    'print a problem that has not changed only after this time; the exit status always tells',
    '30m',
  ),
  state: one('file for what the next run compares with', 'FILE'),
  'no-state': Flags.boolean({
    exclusive: ['state'],
    description: 'keep nothing: no overflows since the last run, no --for, no --renotify',
  }),
  ...configFlags,
  'print-config': Flags.boolean({ description: 'print a commented configuration and end' }),
  replay: one('check a recording instead of this machine', 'FILE'),
};

const outputFlags = {
  format: Flags.option({
    options: CHECK_FORMATS,
    char: 'f',
    description: 'nagios (default), text, json, or prometheus (textfile collector)',
  })(),
  output: one('write to this file, replaced as a whole, instead of stdout', 'FILE'),
  'quiet-ok': Flags.boolean({
    char: 'q',
    description: 'print nothing when all is well; a recovery is said once',
  }),
  verbose: Flags.boolean({ char: 'v', description: 'every value in the text, not only the problems' }),
  redact: redactFlag,
};

const { source, 'no-owners': noOwners } = sourceFlags;

export const checkFlags = {
  ...whatFlags,
  ...howFlags,
  ...outputFlags,
  source,
  ...netnsFlags,
  'no-owners': noOwners,
  timeout: Flags.string({
    char: 't',
    helpValue: '10s',
    description: 'end with UNKNOWN after this time; a number alone is seconds (default 10s)',
  }),
  help: Flags.help({ char: 'h' }),
  version: Flags.version({ char: 'V' }),
};

export type CheckFlags = Interfaces.InferredFlags<typeof checkFlags>;

// Without it oclif looks for a command called `check:argument`, and says that.
export const checkArgs = { surplus: Args.string({ hidden: true, ignoreStdin: true }) };

/** The list of metrics for `--help`. */
export const metricHelp = (): string =>
  METRICS.map((name) => `${name.padEnd(17)} ${METRIC_SPECS[name].says}`).join('\n');
