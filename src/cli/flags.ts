import * as Flags from '@oclif/core/flags';
import { ALL_NAMESPACES, SOURCE_CHOICES } from '../collect/options.js';
import { ParseError } from '../model/errors.js';
import { parseDuration } from './duration.js';
import { UsageError } from './usage.js';

/** A flag whose number a function reads from text; its ParseError becomes a usage error (exit status 2). */
const readWith = (read: (text: string, where: string) => number) =>
  Flags.custom<number>({
    parse: async (text, _context, flag) => asUsage(() => read(text, `--${flag.name}`)),
  });

/** Runs what reads a piece of the command line: a ParseError there is wrong usage, not a wrong input. */
export function asUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ParseError) throw new UsageError(error.message);
    throw error;
  }
}

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** Milliseconds of `500ms`, within bounds in milliseconds. Throws ParseError that names `where`. */
export function readDuration(text: string, where: string, { min = 1, max = Infinity }: Bounds): number {
  const ms = parseDuration(text, where);
  if (ms < min) throw new ParseError(where, `at least ${min}ms`, text);
  if (ms > max) throw new ParseError(where, `at most ${max}ms`, text);
  return ms;
}

/** A duration flag in milliseconds: `500ms`, `1s`, `5m`. */
export const durationFlag = (bounds: Bounds = {}) =>
  readWith((text, where) => readDuration(text, where, bounds));

/** The share that `70` or `70%` is. Throws ParseError that names `where`. */
export function readPercent(text: string, where: string): number {
  const percent = /^\d+(\.\d+)?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (!(percent > 0 && percent <= 1000)) throw new ParseError(where, 'a percentage such as 70', text);
  return percent / 100;
}

const percentFlag = readWith(readPercent);

/** Where the sockets come from, for every command that looks at the machine. */
export const sourceFlags = {
  source: Flags.option({
    options: SOURCE_CHOICES,
    default: 'auto' as const,
    description:
      'where to read sockets: from the kernel (netlink), from ss, or from /proc/net, which knows no limits of queues; auto takes the first that works',
  })(),
  'no-owners': Flags.boolean({ description: 'do not look for the processes behind the sockets (faster)' }),
  timeout: durationFlag({ min: 10 })({
    default: parseDuration('10s', '--timeout'),
    defaultHelp: async () => '10s',
    helpValue: '10s',
    description: 'give up on a source after this time',
  }),
};

/** Into which network namespaces to look: `netnsOf` says what was meant. */
export const netnsFlags = {
  netns: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    helpValue: 'NAME|PID|PATH|all',
    description:
      'look into another network namespace: a name of ip netns, a container, a process, a file; web,shop (or the flag again): into several; all: into every one',
  }),
};

/** Namespaces that a flag or a setting names, each once; `undefined`: none was named. Throws ParseError that names `where`. */
export function readNetns(
  texts: readonly string[] | undefined,
  where = '--netns',
): readonly string[] | undefined {
  if (texts === undefined || texts.length === 0) return undefined;
  // As a shell gives it for a variable that is not set: not our own namespace, and no other.
  if (texts.some((text) => text.trim() === ''))
    throw new ParseError(where, 'a name, a pid, a path or all', texts.join(','));
  const asked = [...new Set(texts)];
  if (asked.length > 1 && asked.includes(ALL_NAMESPACES))
    throw new ParseError(where, 'all alone, or names without it', texts.join(','));
  return asked;
}

/** The same of a flag. Throws UsageError. */
export const netnsOf = (flags: { readonly netns?: readonly string[] | undefined }) =>
  asUsage(() => readNetns(flags.netns));

/** Samples per second, 0 to 100. Throws ParseError that names `where`. */
export function readSampleRate(text: string, where: string): number {
  const rate = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(rate === 0 || (rate >= LEAST_RATE && rate <= DEFAULT_SAMPLE_HZ)))
    throw new ParseError(
      where,
      `0, or a number of samples per second from ${LEAST_RATE} to ${DEFAULT_SAMPLE_HZ}`,
      text,
    );
  return rate;
}

/** More would cost more than it shows: what is shorter is found by its drops. */
export const DEFAULT_SAMPLE_HZ = 100;
const LEAST_RATE = 0.1;

export const sampleRateFlag = readWith(readSampleRate)({
  default: DEFAULT_SAMPLE_HZ,
  defaultHelp: async () => String(DEFAULT_SAMPLE_HZ),
  helpValue: '100',
  description:
    'how often accept queues are sampled between two looks, per second; 0: not at all. Netlink only; fewer where that takes more than 2 % of a core',
});

/** When a queue is called filling or full; `cli/thresholds.ts` makes Thresholds of them. */
export const thresholdFlags = {
  warn: percentFlag({ helpValue: '70', description: 'accept queue fill that is a warning, in percent' }),
  critical: percentFlag({ helpValue: '90', description: 'accept queue fill that is critical, in percent' }),
  port: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: '443=50:80',
    description: 'other limits (warn:critical, in percent) for one port; may be repeated',
  }),
};

/** For every command that a configuration file can speak to. */
export const configFlags = {
  config: Flags.string({
    description:
      'configuration file; else $XDG_CONFIG_HOME/sockwatch/config.yaml or /etc/sockwatch/config.yaml',
    helpValue: 'FILE',
  }),
  'no-config': Flags.boolean({ description: 'read no configuration', exclusive: ['config'] }),
};

export const filterFlag = Flags.string({
  helpValue: "'port:443 -state:time-wait'",
  description: 'show only what matches: port: state: process: remote: recvq> ... /regex/',
});

/** `--no-color`; off as well with NO_COLOR, in a pipe and with TERM=dumb. */
export const colorFlag = Flags.boolean({ description: 'no colours (also: NO_COLOR, a pipe, TERM=dumb)' });

/** `live` and `record`. */
export const closedFlag = Flags.boolean({
  default: true,
  allowNo: true,
  description: 'connections that end between two looks',
});

export const redactFlag = Flags.boolean({
  description: 'hide addresses and names behind stable pseudonyms (ip-1, process-1)',
});
