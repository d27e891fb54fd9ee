import * as Errors from '@oclif/core/errors';
import { BaseCommand, describeError } from '../cli/base-command.js';
import { type CheckFlags, checkFlags, metricHelp } from '../cli/check-flags.js';
import type { CheckFormat } from '../cli/check-formats.js';
import { formatAmong, judged, limitCheck } from '../cli/check-guard.js';
import { readCheckOptions } from '../cli/check-options.js';
import { formatCheck, isSilent } from '../cli/check-output.js';
import { runCheck } from '../cli/check-run.js';
import { CheckSettings } from '../cli/check-settings.js';
import { StateStore } from '../cli/check-state.js';
import { formatUnknown } from '../cli/check-unknown.js';
import { readConfig } from '../cli/config.js';
import { CONFIG_TEMPLATE } from '../cli/config-template.js';
import { namesFor } from '../cli/names.js';
import { isClosed, writePieces } from '../cli/output.js';
import { refuseSurplus, surplusArgs } from '../cli/surplus.js';
import { UsageError } from '../cli/usage.js';
import { replaceFile } from '../collect/state-file.js';
import { exitCodeOf } from '../model/check.js';

const UNKNOWN = exitCodeOf('unknown');

export default class Check extends BaseCommand {
  static override readonly summary =
    'Check listen queues and connections once, for cron and monitoring: exit 0, 1, 2 or 3';

  static override readonly description = [
    'A monitoring plugin: 0 OK, 1 WARNING, 2 CRITICAL, and 3 UNKNOWN for whatever goes wrong. Without flags: fill of every accept queue,',
    'the longest wait for accept(), and overflows since the last run. Ranges are those of the monitoring plugins: 10 alerts above 10,',
    `10: below, @80: from 80 on.\n\n${metricHelp()}`,
  ].join(' ');

  static override readonly examples = [
    { description: 'every listener, with the usual limits', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'one listener, with limits in percent of its capacity',
      command: '<%= config.bin %> <%= command.id %> --port 443 -w @60: -c @80:',
    },
    {
      description: 'in cron: silent while all is well, bursts of a second seen',
      command: '<%= config.bin %> <%= command.id %> --quiet-ok --samples 10 --every 100ms --expect 443=nginx',
    },
    {
      description: 'the listeners of one container, by its name',
      command: '<%= config.bin %> <%= command.id %> --netns web',
    },
    {
      description: 'of two containers and the namespace of a process',
      command: '<%= config.bin %> <%= command.id %> --netns web,shop,812',
    },
    {
      description: 'every container and network namespace; what overflowed in new ones counts too',
      command: '<%= config.bin %> <%= command.id %> --netns all',
    },
    {
      description: 'leaks and ports',
      command:
        '<%= config.bin %> <%= command.id %> -m close-wait,ephemeral-ports -w close-wait=50 -c close-wait=500',
    },
    {
      description: "for node_exporter's textfile collector",
      command:
        '<%= config.bin %> <%= command.id %> --format prometheus --output /var/lib/node_exporter/textfile_collector/sockwatch.prom',
    },
  ];

  static override readonly args = surplusArgs;
  static override readonly flags = checkFlags;

  private format: CheckFormat = 'nagios';
  private output: string | undefined;

  async run(): Promise<void> {
    // What a broken command line still says, before it is read.
    this.format = formatAmong(this.argv);
    const { args, flags } = await this.parse(Check);
    refuseSurplus(args);
    if (flags['print-config']) return this.print(CONFIG_TEMPLATE, 0);
    const settings = await this.readSettings(flags);
    const options = readCheckOptions(flags, settings);
    this.format = options.format;
    this.output = options.output;
    const stop = this.limitTime(options.timeoutMs);
    const store =
      flags['no-state'] || flags.replay !== undefined
        ? undefined
        : new StateStore(options.id, options.statePath, process.env);
    const run = await runCheck(options, store, { signal: stop, owners: !flags['no-owners'] });
    const text = formatCheck(run, {
      format: options.format,
      names: namesFor(flags),
      verbose: flags.verbose,
      wish: options.wish,
      version: this.config.version,
    });
    const { result } = run;
    const silent = isSilent(result, {
      quietOk: flags['quiet-ok'],
      renotify: options.renotifyMs !== undefined,
      hasLostState: store?.hasFailed === true,
    });
    await this.print(silent && options.output === undefined ? '' : text, exitCodeOf(result.status));
  }

  private async readSettings(flags: CheckFlags): Promise<CheckSettings> {
    const config = flags['no-config'] ? undefined : await readConfig(flags.config);
    return new CheckSettings(flags, config?.check);
  }

  /** The run ends itself when its time is over; where it cannot any more, the watchdog ends it. Gives the signal for children. */
  private limitTime(timeoutMs: number): AbortSignal {
    const why = limitCheck(timeoutMs);
    const stop = new AbortController();
    setTimeout(() => {
      stop.abort(new UsageError(why));
      void this.print(this.unknown(why), UNKNOWN);
    }, timeoutMs).unref();
    return stop.signal;
  }

  private unknown(why: string): string {
    return formatUnknown(why, this.format, this.config?.version ?? '', Date.now());
  }

  /** The last act of every run, whatever it came to. */
  private async print(text: string, status: number): Promise<never> {
    if (this.output !== undefined) {
      replaceFile(this.output, text, { mode: 0o644 });
    } else {
      await writePieces([text], process.stdout);
    }
    judged();
    process.exit(status);
  }

  /** Node's 1 for a crash and oclif's 2 for a bad flag would be a WARNING and a CRITICAL that nobody measured. */
  protected override async catch(error: Error): Promise<never> {
    if (error instanceof Errors.ExitError) throw error;
    if (process.env.SOCKWATCH_DEBUG !== undefined) process.stderr.write(`${error.stack}\n`);
    try {
      return await this.print(this.unknown(describeError(error, 'check')), UNKNOWN);
    } catch (failure) {
      if (!isClosed(failure))
        process.stderr.write(`sockwatch check: ${describeError(failure as Error, 'check')}\n`);
      process.exit(UNKNOWN);
    }
  }
}
