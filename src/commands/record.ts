import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand, EXIT } from '../cli/base-command.js';
import { endOnSignals } from '../cli/ending.js';
import { awaitFirstLook } from '../cli/first-look.js';
import {
  closedFlag,
  durationFlag,
  netnsFlags,
  netnsOf,
  redactFlag,
  sampleRateFlag,
  sourceFlags,
  thresholdFlags,
} from '../cli/flags.js';
import { INTERVAL } from '../cli/live-flags.js';
import { takeReports } from '../cli/live-reports.js';
import { Recorder, tapEvents, tapObservations } from '../cli/recorder.js';
import { recordingNames, rotationFlags } from '../cli/recording-flags.js';
import { Remarks } from '../cli/remarks.js';
import { readThresholds } from '../cli/thresholds.js';
import { UsageError } from '../cli/usage.js';
import { observe } from '../collect/observe.js';
import { RecordingWriter } from '../collect/recording-writer.js';
import { PLAIN_NAMES } from '../render/names.js';
import { RecordingEncoder } from '../render/recording/encoder.js';
import { watchReports } from '../watch/reports.js';

export default class Record extends BaseCommand {
  static override readonly summary = 'Record listen queues, connections and alerts, to be replayed later';

  static override readonly description = [
    'Writes what live would show to a file: NDJSON, compressed where its name ends in .gz, readable by the owner only. Between full',
    'frames, one each minute, stands what has changed. Ctrl-C ends it; sockwatch live --replay FILE shows it.',
  ].join(' ');

  static override readonly examples = [
    { description: 'until Ctrl-C', command: '<%= config.bin %> <%= command.id %> incident.ndjson.gz' },
    {
      description: 'an hour, without real addresses and names',
      command: '<%= config.bin %> <%= command.id %> incident.ndjson.gz --duration 1h --redact',
    },
    {
      description: 'every container and network namespace',
      command: '<%= config.bin %> <%= command.id %> incident.ndjson.gz --netns all',
    },
    {
      description: 'always, the last day in files of an hour',
      command:
        '<%= config.bin %> <%= command.id %> /var/log/sockwatch/web.ndjson.gz --rotate-time 1h --keep 24 --overwrite',
    },
  ];

  static override readonly args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'where to write; .gz: compressed' }),
  };

  static override readonly flags = {
    interval: durationFlag(INTERVAL)({
      char: 'i',
      default: 1000,
      defaultHelp: async () => '1s',
      helpValue: '1s',
      description: 'time between two looks',
    }),
    'sample-rate': sampleRateFlag,
    count: Flags.integer({ char: 'n', min: 1, helpValue: '10', description: 'end after this many looks' }),
    duration: durationFlag({ max: 2 ** 31 - 1 })({
      char: 'd',
      helpValue: '1h',
      description: 'end after this time',
    }),
    udp: Flags.boolean({ char: 'u', description: 'UDP sockets too' }),
    unix: Flags.boolean({ default: true, allowNo: true, description: 'Unix listeners too' }),
    connections: Flags.boolean({
      default: true,
      allowNo: true,
      description: 'connections beside the listeners',
    }),
    closed: closedFlag,
    ...rotationFlags,
    ...thresholdFlags,
    ...sourceFlags,
    ...netnsFlags,
    redact: redactFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Record);
    if (args.file === '-') throw new UsageError('a recording is a file: give it a name');
    const thresholds = readThresholds(flags);
    const ending = endOnSignals();
    const collect = {
      netns: netnsOf(flags),
      source: flags.source,
      udp: flags.udp,
      unix: flags.unix,
      scope: flags.connections ? ('all' as const) : ('troubled' as const),
      owners: !flags['no-owners'],
      timeoutMs: flags.timeout,
      closed: flags.closed,
      sampleHz: flags['sample-rate'],
    };
    const names = recordingNames(flags.redact);
    const observations = await awaitFirstLook(
      observe(collect, { intervalMs: flags.interval }, ending.signal),
    );
    const writer = new RecordingWriter({
      path: args.file,
      overwrite: flags.overwrite,
      bytes: flags['rotate-size'],
      ms: flags['rotate-time'],
      keep: flags.keep,
    });
    const recorder = new Recorder(new RecordingEncoder(names, this.config.version), writer);
    if (flags.duration !== undefined) setTimeout(() => ending.end(), flags.duration).unref();
    const reports = tapEvents(watchReports(tapObservations(observations, [recorder]), { thresholds }), [
      recorder,
    ]);
    const remarks = new Remarks((text) => this.note(text));
    let looks = 0;
    try {
      for await (const report of flags.count === undefined ? reports : takeReports(reports, flags.count)) {
        looks++;
        remarks.hear(report, PLAIN_NAMES);
      }
    } finally {
      await recorder.close();
    }
    this.note(`${looks} looks in ${args.file}: sockwatch live --replay ${args.file}`);
    this.exit(ending.status() ?? EXIT.done);
  }
}
