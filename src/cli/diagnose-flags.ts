import type { Interfaces } from '@oclif/core';
import * as Flags from '@oclif/core/flags';
import { RULES, type RuleLimits, SEVERITIES } from '../model/findings.js';
import { parseDuration } from './duration.js';
import {
  colorFlag,
  durationFlag,
  filterFlag,
  netnsFlags,
  redactFlag,
  sampleRateFlag,
  sourceFlags,
} from './flags.js';
import { readRuleLimits } from './rule-limits.js';

const HOUR = 3_600_000;

export const diagnoseFlags = {
  duration: durationFlag({ min: 0, max: 24 * HOUR })({
    char: 'd',
    default: parseDuration('5s', 'default'),
    defaultHelp: async () => '5s',
    helpValue: '5s',
    description: 'how long to look, three times at least (0: once); rates, growth and retries need time',
  }),
  interval: durationFlag({ min: 50, max: HOUR })({
    char: 'i',
    default: parseDuration('500ms', 'default'),
    defaultHelp: async () => '500ms',
    helpValue: '500ms',
    description: 'time between two looks',
  }),
  'sample-rate': sampleRateFlag,
  from: Flags.string({
    helpValue: 'FILE',
    description: 'a recording, the whole of it, instead of this machine',
    exclusive: ['duration', 'interval', 'sample-rate', 'source', 'netns', 'no-owners'],
  }),
  port: Flags.integer({
    min: 1,
    max: 65_535,
    helpValue: '443',
    description: 'only what has this port at either end',
  }),
  pid: Flags.integer({ min: 1, helpValue: '812', description: 'only sockets of this process' }),
  filter: filterFlag,
  format: Flags.option({
    options: ['table', 'json'] as const,
    default: 'table' as const,
    char: 'f',
    description: 'form of the output',
  })(),
  'fail-on': Flags.string({
    helpValue: 'warning|RULE,...',
    description:
      'exit with 1 when this is found: a severity (info, warning, critical) or worse, or names of rules as in the output',
  }),
  ...sourceFlags,
  ...netnsFlags,
  redact: redactFlag,
  'no-color': colorFlag,
};

export type DiagnoseFlags = Interfaces.InferredFlags<typeof diagnoseFlags>;

/** Throws UsageError. */
export const readDiagnosisLimits = (list: string | undefined): RuleLimits | undefined =>
  readRuleLimits(list, { rules: RULES, severities: SEVERITIES });

/** The text of `--filter` with what `--port` and `--pid` add: spaces mean AND. */
export const filterText = ({
  filter = '',
  port,
  pid,
}: Pick<DiagnoseFlags, 'filter' | 'port' | 'pid'>): string =>
  [filter, port === undefined ? '' : `port:${port}`, pid === undefined ? '' : `pid:${pid}`].join(' ').trim();
