import type { Interfaces } from '@oclif/core';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { CONNECTION_SORTS, LISTENER_SORTS } from '../analyze/sort.js';
import { GROUP_KEYS } from '../model/groups-json.js';
import { colorFlag, filterFlag, netnsFlags, redactFlag, sourceFlags, thresholdFlags } from './flags.js';

export const FORMATS = ['table', 'json', 'ndjson', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

export const snapshotArgs = {
  // Whoever runs it in a pipe or a loop means stdin for something else: only - reads it.
  file: Args.string({
    ignoreStdin: true,
    description: 'saved output of ss, of any host, or a recording; - reads stdin',
  }),
};

const sortHelp = `order: ${LISTENER_SORTS.join(', ')}; connections: ${CONNECTION_SORTS.join(', ')}`;

const whatFlags = {
  from: Flags.string({ helpValue: 'FILE', description: 'the same as FILE' }),
  at: Flags.string({
    helpValue: 'TIME',
    description:
      'moment of a recording: 2026-11-20T19:15:06Z, 19:15:06, +5m from its beginning, -30s from its end',
  }),
  connections: Flags.boolean({ char: 'c', description: 'list connections instead of listeners' }),
  all: Flags.boolean({ char: 'a', description: 'list listeners and connections' }),
  udp: Flags.boolean({ char: 'u', description: 'UDP sockets too, with their drops' }),
  unix: Flags.boolean({ char: 'x', description: 'Unix listeners too; with --all all Unix sockets' }),
  'group-by': Flags.option({
    options: GROUP_KEYS,
    char: 'g',
    description: 'count connections by what they share (with --all, listeners too)',
  })(),
  filter: filterFlag,
  sort: Flags.string({ char: 's', helpValue: 'KEY', description: sortHelp }),
  reverse: Flags.boolean({ char: 'r', description: 'the other way round' }),
};

export const snapshotFlags = {
  ...whatFlags,
  format: Flags.option({
    options: FORMATS,
    default: 'table' as const,
    char: 'f',
    description: 'form of the output',
  })(),
  'fail-on': Flags.option({
    options: ['warning', 'critical'] as const,
    description: 'exit with 1 when a listener shown is that bad or worse',
  })(),
  ...thresholdFlags,
  ...sourceFlags,
  ...netnsFlags,
  redact: redactFlag,
  'no-color': colorFlag,
};

export type SnapshotFlags = Interfaces.InferredFlags<typeof snapshotFlags>;
