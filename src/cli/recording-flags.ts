import * as Flags from '@oclif/core/flags';
import { ParseError } from '../model/errors.js';
import { PLAIN_NAMES } from '../render/names.js';
import { Pseudonyms } from '../render/redact.js';
import { asUsage, durationFlag } from './flags.js';

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Bytes of `500k`, `100M`, `1G`. Throws ParseError that names `where`. */
export function parseSize(text: string, where: string): number {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)([kMG]?)B?$/.exec(text.trim()) ?? [];
  const bytes = Math.round(Number(amount) * (UNITS[unit] ?? Number.NaN));
  if (!(bytes >= 1)) throw new ParseError(where, 'a size such as 500k, 100M or 1G', text);
  return bytes;
}

const sizeFlag = Flags.custom<number>({
  parse: async (text, _context, flag) => asUsage(() => parseSize(text, `--${flag.name}`)),
});

export const rotationFlags = {
  'rotate-size': sizeFlag({
    helpValue: '100M',
    description: 'begin a new file once one is larger than this',
  }),
  'rotate-time': durationFlag({ min: 1000 })({
    helpValue: '1h',
    description: 'begin a new file after this time',
  }),
  keep: Flags.integer({
    min: 0,
    max: 10_000,
    default: 10,
    helpValue: '10',
    description: 'how many old files stay: web.1.ndjson, web.2.ndjson ...',
  }),
  overwrite: Flags.boolean({ description: 'replace a recording that is there' }),
};

/** Names in a recording: with --redact addresses become others, for they are read again. */
export const recordingNames = (redact: boolean) => (redact ? new Pseudonyms(undefined, true) : PLAIN_NAMES);
