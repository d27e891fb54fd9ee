import type { Interfaces } from '@oclif/core';
import * as Flags from '@oclif/core/flags';
import type { Rule, RuleLimits } from '../model/findings.js';
import { parseDuration } from './duration.js';
import { colorFlag, durationFlag, filterFlag, netnsFlags, redactFlag, sourceFlags } from './flags.js';
import { readRuleLimits } from './rule-limits.js';

/** What `pools` can find, and what may be given to `--fail-on`. */
export const POOL_RULE_NAMES = [
  'pool_exhausted',
  'pool_waiting',
  'pool_churn',
  'request_limit',
  'pool_leak',
  'pool_oversized',
  'pool_uneven',
  'unseen_connections',
  'reconnect_wave',
  'close_wait_leak',
  'threads_busy',
  'keepalive_race',
  'no_keepalive',
  'keepalive_unanswered',
] as const satisfies readonly Rule[];

const HOUR = 3_600_000;

export const poolsFlags = {
  duration: durationFlag({ min: 0, max: 24 * HOUR })({
    char: 'd',
    default: parseDuration('5s', 'default'),
    defaultHelp: async () => '5s',
    helpValue: '5s',
    description: 'how long to look; rates, waves and leaks need time',
  }),
  interval: durationFlag({ min: 50, max: HOUR })({
    char: 'i',
    default: parseDuration('1s', 'default'),
    defaultHelp: async () => '1s',
    helpValue: '1s',
    description: 'time between two looks',
  }),
  from: Flags.string({
    helpValue: 'FILE',
    description: 'a recording, the whole of it, instead of this machine: for leaks over hours and waves',
    exclusive: ['duration', 'interval', 'source', 'netns', 'no-owners'],
  }),
  filter: filterFlag,
  format: Flags.option({
    options: ['table', 'json', 'ndjson', 'csv'] as const,
    default: 'table' as const,
    char: 'f',
    description: 'form of the output',
  })(),
  top: Flags.integer({
    char: 'n',
    min: 1,
    helpValue: '20',
    description: 'show this many pools, the worst and largest',
  }),
  hikari: Flags.string({
    helpValue: 'LOG',
    description: 'log of HikariCP: its own numbers beside the sockets',
  }),
  'hikari-pid': Flags.integer({
    min: 1,
    helpValue: '812',
    description: 'the process that writes that log; else which sockets belong to it is a guess',
    dependsOn: ['hikari'],
  }),
  'fail-on': Flags.string({
    helpValue: 'RULE,...',
    description: `exit with 1 when one of these is found: ${POOL_RULE_NAMES.join(', ')}, or that bad or worse: warning, critical`,
  }),
  ...sourceFlags,
  ...netnsFlags,
  redact: redactFlag,
  'no-color': colorFlag,
};

export type PoolsFlags = Interfaces.InferredFlags<typeof poolsFlags>;

/** Throws UsageError. */
export const readPoolLimits = (list: string | undefined): RuleLimits | undefined =>
  readRuleLimits(list, { rules: POOL_RULE_NAMES, severities: ['warning', 'critical'] });
