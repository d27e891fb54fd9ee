import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand, EXIT } from '../cli/base-command.js';
import { endOnSignals } from '../cli/ending.js';
import { parseFailOn } from '../cli/fail-on.js';
import { asUsage, durationFlag } from '../cli/flags.js';
import { namesFor } from '../cli/names.js';
import { writePieces } from '../cli/output.js';
import { TRACE_FORMATS, traceOutputFlags } from '../cli/pcap-flags.js';
import { lineWriter, traceWriter } from '../cli/pcap-output.js';
import { analyse } from '../cli/pcap-run.js';
import { tableStyle } from '../cli/terminal.js';
import { UsageError } from '../cli/usage.js';
import { runTcpdump } from '../collect/tcpdump.js';
import { summaryLines } from '../render/trace/summary-table.js';

export default class Capture extends BaseCommand {
  static override readonly summary = 'Watch connections with tcpdump: each is told when it ends';

  static override readonly description = [
    'Starts tcpdump and analyses its packets while it runs, also those of connections too short for ss to see. Keeps the load small:',
    'headers and first bytes of TCP, DNS, QUIC and ICMP errors, unless --full. Ctrl-C ends it with a summary.',
  ].join(' ');

  static override readonly examples = [
    { description: 'everything', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'one service, for ten seconds',
      command: '<%= config.bin %> <%= command.id %> -i eth0 --port 443 --duration 10s',
    },
    {
      description: 'only trouble',
      command: "<%= config.bin %> <%= command.id %> --filter 'severity:warning,critical'",
    },
    {
      description: 'keep the packets for later',
      command: '<%= config.bin %> <%= command.id %> --full --write web.pcap',
    },
  ];

  // Without it oclif speaks of a command called `capture:argument`.
  static override readonly args = { surplus: Args.string({ hidden: true, ignoreStdin: true }) };

  static override readonly flags = {
    interface: Flags.string({
      char: 'i',
      helpValue: 'eth0',
      description: 'where to capture; any without it',
    }),
    port: Flags.integer({
      char: 'p',
      multiple: true,
      min: 1,
      max: 65_535,
      helpValue: '443',
      description: 'only this port; may be repeated',
    }),
    expression: Flags.string({
      helpValue: "'host 10.0.0.5'",
      description: 'a filter of pcap-filter(7) instead of --port',
    }),
    full: Flags.boolean({ description: 'whole packets of all protocols' }),
    write: Flags.string({
      char: 'w',
      helpValue: 'FILE',
      description: 'keep the packets, readable by you alone',
    }),
    count: Flags.integer({ min: 1, helpValue: '1000', description: 'end after this many packets' }),
    duration: durationFlag({ max: 2 ** 31 - 1 })({
      char: 'd',
      helpValue: '30s',
      description: 'end after this time',
    }),
    format: Flags.option({
      options: TRACE_FORMATS,
      default: 'table' as const,
      char: 'f',
      description: 'form of the output',
    })(),
    ...traceOutputFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Capture);
    if (args.surplus !== undefined)
      throw new UsageError(
        `unexpected argument ${JSON.stringify(args.surplus)}: a filter goes into --expression`,
      );
    if (flags.port !== undefined && flags.expression !== undefined)
      throw new UsageError(
        "--port and --expression exclude each other: put the ports into the expression, as 'port 443'",
      );
    const failOn = asUsage(() => parseFailOn(flags['fail-on']));
    const names = namesFor(flags);
    const style = tableStyle(process.stdout, process.env, flags['no-color']);
    const writer = traceWriter(flags.format, names) ?? lineWriter(names, style.color);
    const ending = endOnSignals();
    if (flags.duration !== undefined) setTimeout(() => ending.end(), flags.duration).unref();
    const options = { ...flags, ports: flags.port ?? [], onNote: (text: string) => this.note(text) };
    const { result, info, closed } = await analyse(
      (sink, input) => runTcpdump(options, sink, input),
      flags,
      writer,
      { signal: ending.signal },
      true,
    );
    if (flags.format === 'table' && !closed) {
      const lines = summaryLines(result.summary, info, names, style);
      await writePieces(
        [...lines].map((line) => `${line}\n`),
        process.stdout,
      );
    }
    const met = failOn.filter(({ isMet }) => isMet(result.summary));
    if (met.length > 0) this.note(`--fail-on: ${met.map(({ text }) => text).join(', ')}`);
    this.exit(ending.status() ?? (met.length > 0 ? EXIT.failed : EXIT.done));
  }
}
