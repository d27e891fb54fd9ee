import * as Flags from '@oclif/core/flags';
import { parseDuration } from './duration.js';
import {
  closedFlag,
  colorFlag,
  configFlags,
  durationFlag,
  filterFlag,
  netnsFlags,
  redactFlag,
  sampleRateFlag,
  sourceFlags,
  thresholdFlags,
} from './flags.js';

export const LIVE_FORMATS = ['auto', 'screen', 'lines', 'ndjson'] as const;

/** The longest time that a timer of Node can wait: 24.8 days. */
const LONGEST = { max: 2 ** 31 - 1 };

/** What `--interval` may be, ms. */
export const INTERVAL = { min: 50, max: 3_600_000 };

const seconds = (text: string) => ({
  default: parseDuration(text, 'default'),
  defaultHelp: async () => text,
  helpValue: text,
});

const whenFlags = {
  interval: durationFlag(INTERVAL)({
    ...seconds('1s'),
    char: 'i',
    description: 'time between two looks',
  }),
  'sample-rate': sampleRateFlag,
  count: Flags.integer({ char: 'n', min: 1, helpValue: '10', description: 'end after this many looks' }),
  duration: durationFlag(LONGEST)({ char: 'd', helpValue: '30s', description: 'end after this time' }),
};

const whatFlags = {
  udp: Flags.boolean({ char: 'u', description: 'UDP sockets too' }),
  unix: Flags.boolean({ default: true, allowNo: true, description: 'Unix listeners too' }),
  connections: Flags.boolean({
    allowNo: true,
    description: 'connections beside the listeners [default: on the screen only]',
  }),
  closed: closedFlag,
  filter: filterFlag,
};

const alertFlags = {
  bell: Flags.boolean({ description: 'ring the bell of the terminal when an alert is raised' }),
  'on-alert': Flags.string({
    helpValue: "'program --argument'",
    description:
      'run a program, without a shell, for each event of an alert: JSON on stdin, SOCKWATCH_ALERT_*',
  }),
  'on-alert-timeout': durationFlag(LONGEST)({
    ...seconds('10s'),
    description: 'end that program after this time',
  }),
};

const screenFlags = {
  ascii: Flags.boolean({ description: 'no characters beyond ASCII' }),
  'no-color': colorFlag,
  mouse: Flags.boolean({ default: true, allowNo: true, description: 'let the screen use the mouse' }),
};

const demoFlags = {
  demo: Flags.boolean({
    description: 'show a listener of its own in trouble: filling, full, overflowing and well again in 60 s',
    exclusive: ['netns'],
  }),
  'demo-cycle': durationFlag({ min: 1000 })({ ...seconds('60s'), hidden: true }),
};

const recordingFlags = {
  record: Flags.string({ helpValue: 'FILE', description: 'record what is seen; .gz: compressed' }),
  replay: Flags.string({
    helpValue: 'FILE',
    description: 'show a recording instead of this machine',
    exclusive: ['demo', 'record', 'source', 'netns', 'keep-on-alert'],
  }),
  speed: Flags.string({ helpValue: '4', description: 'how fast a recording is shown: 0.25 to 1000, or max' }),
  'keep-on-alert': Flags.string({
    helpValue: 'DIR',
    description: 'when an alert turns critical, write the last minutes there as a recording',
  }),
  'keep-time': durationFlag({ min: 10_000, max: 3_600_000 })({
    ...seconds('5m'),
    description: 'how much is kept in memory for that',
  }),
};

export const liveFlags = {
  ...whenFlags,
  format: Flags.option({
    options: LIVE_FORMATS,
    char: 'f',
    default: 'auto' as const,
    description: 'auto: the screen in a terminal, else lines; ndjson: a snapshot on each line',
  })(),
  ...whatFlags,
  ...thresholdFlags,
  ...alertFlags,
  ...screenFlags,
  ...sourceFlags,
  ...netnsFlags,
  redact: redactFlag,
  ...configFlags,
  ...recordingFlags,
  ...demoFlags,
};
