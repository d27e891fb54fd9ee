import type { Interfaces } from '@oclif/core';
import * as Flags from '@oclif/core/flags';
import { colorFlag, filterFlag, redactFlag } from './flags.js';

export const TRACE_FORMATS = ['table', 'json', 'ndjson', 'csv', 'zeek'] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** What the output of captures has in common, saved or running. */
export const traceOutputFlags = {
  filter: {
    ...filterFlag,
    description:
      'only connections that match: port: state:refused client: retransmissions> connect> finding: /regex/',
    helpValue: "'port:443 state:refused'",
  },
  'fail-on': Flags.string({
    helpValue: 'refused,overflow',
    description:
      'exit with 1 when there is any of: refused, timed-out, half-open, reset, overflow, the name of a finding, or as in retransmissions>1%',
  }),
  queries: Flags.boolean({ description: 'keep the query strings of HTTP paths (they often hold secrets)' }),
  redact: redactFlag,
  'no-color': colorFlag,
};

export const pcapFlags = {
  format: Flags.option({
    options: TRACE_FORMATS,
    default: 'table' as const,
    char: 'f',
    description: 'form of the output; zeek: a conn.log',
  })(),
  connection: Flags.integer({
    char: 'c',
    min: 1,
    helpValue: 'N',
    description: 'tell one connection packet by packet, as a ladder',
  }),
  top: Flags.integer({
    char: 'n',
    min: 0,
    max: 100_000,
    helpValue: '20',
    description: 'connections in the table',
  }),
  since: Flags.string({
    helpValue: 'TIME',
    description: 'packets from here on: 5s after the first packet, or a time as 2026-11-20T19:15:06Z',
  }),
  until: Flags.string({ helpValue: 'TIME', description: 'packets up to here' }),
  verify: Flags.boolean({
    description: 'read classic captures again with the package pcap-parser, and compare packet by packet',
  }),
  ...traceOutputFlags,
};

export type PcapFlags = Interfaces.InferredFlags<typeof pcapFlags>;
