import { BaseCommand, EXIT } from '../cli/base-command.js';
import { parseFailOn } from '../cli/fail-on.js';
import { asUsage } from '../cli/flags.js';
import { namesFor } from '../cli/names.js';
import { writePieces } from '../cli/output.js';
import { pcapFlags } from '../cli/pcap-flags.js';
import { traceWriter } from '../cli/pcap-output.js';
import { analyse, filesSource } from '../cli/pcap-run.js';
import { verifyAll } from '../cli/pcap-verify.js';
import { Progress } from '../cli/progress.js';
import { keepYoungGenerationSmall } from '../cli/small-heap.js';
import { tableStyle } from '../cli/terminal.js';
import { UsageError } from '../cli/usage.js';
import type { CaptureFile } from '../model/packets.js';
import { jsonText } from '../render/json-text.js';
import { cleanText } from '../render/text.js';
import { connectionJson } from '../render/trace/json.js';
import { ladder } from '../render/trace/ladder.js';
import { MERGED_FRAMES } from '../render/trace/summary-table.js';
import { traceTable } from '../render/trace/table.js';

export default class Pcap extends BaseCommand {
  static override readonly summary =
    'Explain every connection of saved captures: handshakes, outcomes, losses, what went wrong';

  static override readonly description = [
    'Reads pcap and pcapng, plain or compressed, from files or standard input (-). Several files are one capture, in the order of',
    'time. Prints a summary and the most troubled connections; --connection N tells one of them packet by packet.',
  ].join(' ');

  static override readonly examples = [
    { description: 'what happened in a capture', command: '<%= config.bin %> <%= command.id %> web.pcap' },
    {
      description: 'one connection as a ladder',
      command: '<%= config.bin %> <%= command.id %> web.pcap --connection 17',
    },
    {
      description: 'rotated files, refused connections only',
      command: "<%= config.bin %> <%= command.id %> web.pcap* --filter 'state:refused port:443'",
    },
    {
      description: 'for scripts',
      command:
        '<%= config.bin %> <%= command.id %> web.pcap --format ndjson --fail-on overflow,retransmissions>1%',
    },
    {
      description: 'from another host',
      command: 'ssh web-01 tcpdump -w - -c 100000 port 443 | <%= config.bin %> <%= command.id %> -',
    },
  ];

  static override readonly strict = false;
  static override readonly usage = 'pcap FILE... [FLAGS]';
  static override readonly flags = pcapFlags;

  async run(): Promise<void> {
    keepYoungGenerationSmall();
    const { argv, flags } = await this.parse(Pcap);
    const paths = argv.map(String);
    if (paths.length === 0) throw new UsageError('no capture given: name a file, or - for standard input');
    const failOn = asUsage(() => parseFailOn(flags['fail-on']));
    if (flags.connection !== undefined && paths.includes('-') && paths.length > 1) {
      throw new UsageError('--connection reads one analysis: give files, or - alone');
    }
    const isOne = flags.connection !== undefined;
    if (isOne && (flags.format === 'csv' || flags.format === 'zeek'))
      throw new UsageError(
        `--connection has no form ${flags.format}: use json, or --format ${flags.format} --filter id:${flags.connection}`,
      );
    if (flags.verify) return this.exit((await verifyAll(paths)) ? EXIT.done : EXIT.failed);

    const names = namesFor(flags);
    const writer = isOne ? undefined : traceWriter(flags.format, names);
    const progress = new Progress(process.stderr);
    const { result, info, closed } = await analyse(
      filesSource(paths),
      { ...flags, follow: flags.connection },
      writer,
      { onProgress: (bytes, total) => progress.tell(bytes, total) },
    ).finally(() => progress.end());
    if (closed) return this.exit(EXIT.done);
    if (result.summary.packets === 0 && info.packets > 0)
      this.note('no packet of the capture lies between --since and --until');

    const style = {
      ...tableStyle(process.stdout, process.env, flags['no-color']),
      names,
      epochSeconds: info.epochSeconds,
    };
    if (flags.connection !== undefined) {
      if (result.followed === undefined)
        throw new UsageError(noConnection(flags.connection, result.summary.connections));
      if (info.files.length > 1) this.note(MERGED_FRAMES);
      const { followed } = result;
      const told =
        flags.format === 'table'
          ? ladder(followed, style)
          : [`${jsonText(connectionJson(followed, { epochSeconds: info.epochSeconds, names }))}\n`];
      await writePieces(told, process.stdout);
    } else if (writer === undefined) {
      await writePieces(traceTable(result.summary, result.worst, info, style), process.stdout);
    }

    const faults = info.files.flatMap(faultText);
    // The table has them among its files.
    if (writer !== undefined || flags.connection !== undefined)
      for (const fault of faults) this.note(cleanText(fault));
    const met = failOn.filter(({ isMet }) => isMet(result.summary));
    if (met.length > 0) this.note(`--fail-on: ${met.map(({ text }) => text).join(', ')}`);
    if (faults.length > 0 || met.length > 0) this.exit(EXIT.failed);
  }
}

const faultText = ({ name, format, fault }: CaptureFile): string[] =>
  fault === undefined
    ? []
    : [`${name}: ${fault.message}${format === 'unknown' ? '' : ` at byte ${fault.offset}`}`];

const noConnection = (wanted: number, count: number) =>
  count === 0
    ? `no connection ${wanted}: the capture has none`
    : `no connection ${wanted}: the capture has 1 to ${count}`;
