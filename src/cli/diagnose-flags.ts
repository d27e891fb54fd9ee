import { Flags, type Interfaces } from '@oclif/core';
import { ParseError } from '../model/errors.js';
import { RULES, type Rule, SEVERITIES, type Severity } from '../model/findings.js';
import { parseDuration } from './duration.js';
import {
  asUsage,
  colorFlag,
  durationFlag,
  filterFlag,
  redactFlag,
  sampleRateFlag,
  sourceFlags,
} from './flags.js';

const HOUR = 3_600_000;

export const diagnoseFlags = {
  duration: durationFlag({ min: 0, max: 24 * HOUR })({
    char: 'd',
    default: parseDuration('5s', 'default'),
    defaultHelp: async () => '5s',
    helpValue: '5s',
    description: 'how long to look; rates, growth and retries need time',
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
    exclusive: ['duration', 'interval', 'sample-rate', 'source', 'no-owners'],
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
  redact: redactFlag,
  'no-color': colorFlag,
};

export type DiagnoseFlags = Interfaces.InferredFlags<typeof diagnoseFlags>;

/** What ends the command with status 1. */
export interface DiagnosisLimits {
  readonly rules: ReadonlySet<Rule>;
  readonly severity?: Severity;
}

/** Reads `warning`, `fd_limit,retry-storm`. Throws UsageError. */
export const readDiagnosisLimits = (list: string | undefined): DiagnosisLimits | undefined =>
  list === undefined ? undefined : asUsage(() => parseLimits(list));

function parseLimits(list: string): DiagnosisLimits {
  const expected = `info, warning, critical or some of ${RULES.join(', ')}`;
  const words = list
    .split(',')
    .map((word) => word.trim().toLowerCase().replaceAll('-', '_'))
    .filter((word) => word !== '');
  // A variable that is empty in a script must not make a check that never fails.
  if (words.length === 0) throw new ParseError('--fail-on', expected, list);
  const rules = new Set<Rule>();
  const levels: number[] = [];
  for (const word of words) {
    const rule = RULES.find((name) => name === word);
    const level = (SEVERITIES as readonly string[]).indexOf(word);
    if (rule !== undefined) rules.add(rule);
    else if (level >= 0) levels.push(level);
    else throw new ParseError('--fail-on', expected, word);
  }
  const severity = SEVERITIES[Math.min(...levels)];
  return { rules, ...(severity && { severity }) };
}

/** The text of `--filter` with what `--port` and `--pid` add: spaces mean AND. */
export const filterText = ({
  filter = '',
  port,
  pid,
}: Pick<DiagnoseFlags, 'filter' | 'port' | 'pid'>): string =>
  [filter, port === undefined ? '' : `port:${port}`, pid === undefined ? '' : `pid:${pid}`].join(' ').trim();
