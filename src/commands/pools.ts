import { BaseCommand, EXIT } from '../cli/base-command.js';
import { endOnSignals } from '../cli/ending.js';
import { readFilter } from '../cli/filter.js';
import { gapNotes } from '../cli/gap-notes.js';
import { namesFor } from '../cli/names.js';
import { inPieces, writePieces } from '../cli/output.js';
import { poolsFlags, readPoolLimits } from '../cli/pools-flags.js';
import { topPools, watchPools, writePools } from '../cli/pools-run.js';
import { isMet } from '../cli/rule-limits.js';
import { refuseSurplus, surplusArgs } from '../cli/surplus.js';
import { tableStyle } from '../cli/terminal.js';

export default class Pools extends BaseCommand {
  static override readonly summary = 'Look for a while at who holds which connections, and how they are used';

  static override readonly description = [
    'Counts the connections of each process to each remote address and port, and of each listener: open, busy, idle, made and closed',
    'per second, ages and idle times; says where a pool seems exhausted, where connections are not reused, and where they leak.',
    'Busy and idle are inferred. What comes and goes between two looks is counted where the kernel tells of its end; its process is not known.',
  ].join(' ');

  static override readonly examples = [
    { description: 'five seconds of this host', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'a database, looked at ten times per second',
      command: "<%= config.bin %> <%= command.id %> --filter 'rport:3306' --interval 100ms",
    },
    {
      description: "beside HikariCP's own numbers",
      command: '<%= config.bin %> <%= command.id %> --hikari /var/log/app/app.log',
    },
    {
      description: 'what a recording of hours tells: leaks, waves of reconnects',
      command: '<%= config.bin %> <%= command.id %> --from incident.ndjson.gz',
    },
    {
      description: 'in every container and network namespace',
      command: '<%= config.bin %> <%= command.id %> --netns all',
    },
    {
      description: 'in a script',
      command: '<%= config.bin %> <%= command.id %> --format json --fail-on pool_exhausted,close_wait_leak',
    },
  ];

  static override readonly args = surplusArgs;
  static override readonly flags = poolsFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Pools);
    refuseSurplus(args);
    const filter = readFilter(flags.filter);
    const limits = readPoolLimits(flags['fail-on']);
    const ending = endOnSignals();

    const report = await watchPools(flags, filter, ending.signal, limits);

    const names = namesFor(flags);
    const style = tableStyle(process.stdout, process.env, flags['no-color']);
    await writePieces(inPieces(writePools(topPools(report, flags.top), flags, names, style)), process.stdout);
    // JSON carries its gaps.
    const notes = flags.format.endsWith('json') ? [] : gapNotes(report.gaps, names);
    for (const note of notes) this.note(note);
    if (limits !== undefined && isMet(report.findings, limits)) this.exit(EXIT.failed);
    this.exit(ending.status() ?? EXIT.done);
  }
}
