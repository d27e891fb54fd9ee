import { BaseCommand, EXIT } from '../cli/base-command.js';
import { readFilter } from '../cli/filter.js';
import { filterGaps, namespacesIn, narrowNamespaces } from '../cli/filter-gaps.js';
import { gapNotes } from '../cli/gap-notes.js';
import { namesFor } from '../cli/names.js';
import { inPieces, writePieces } from '../cli/output.js';
import { snapshotArgs, snapshotFlags } from '../cli/snapshot-flags.js';
import { lookOnce, savedPath } from '../cli/snapshot-look.js';
import { writeView } from '../cli/snapshot-output.js';
import { readSort } from '../cli/snapshot-sort.js';
import { isAtLeast, selectView, wantsRows } from '../cli/snapshot-view.js';
import { tableStyle } from '../cli/terminal.js';
import { readThresholds } from '../cli/thresholds.js';

export default class Snapshot extends BaseCommand {
  static override readonly summary =
    'Look once at listen queues and connections, here or in saved output of ss';

  static override readonly description = [
    'Lists the listeners, the most troubled first, with the fill of their accept queues, the oldest wait, a verdict',
    'and what to do. One look cannot tell a stopped acceptor from a burst: sockwatch live can.',
  ].join(' ');

  static override readonly examples = [
    { description: 'the listen queues of this host', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'output of another host', command: 'ss -tunap | <%= config.bin %> <%= command.id %> -' },
    {
      description: 'connections of one service, most unread bytes first',
      command:
        "<%= config.bin %> <%= command.id %> --connections --filter 'port:443 state:established' --sort recvq",
    },
    {
      description: 'every container and network namespace of this host',
      command: '<%= config.bin %> <%= command.id %> --netns all',
    },
    {
      description: 'who has how many connections',
      command: '<%= config.bin %> <%= command.id %> --group-by process',
    },
    {
      description: 'in a script',
      command: '<%= config.bin %> <%= command.id %> --format json --fail-on critical',
    },
  ];

  static override readonly args = snapshotArgs;
  static override readonly flags = snapshotFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Snapshot);
    const path = savedPath(args.file, flags.from);
    const filter = readFilter(flags.filter);
    const thresholds = readThresholds(flags);
    const sort = readSort(flags.sort, flags.reverse, {
      listeners: !flags.connections || flags.all,
      rows: wantsRows(flags),
    });

    const looked = narrowNamespaces(await lookOnce(path, flags, thresholds), filter);
    const report = { ...looked, gaps: [...looked.gaps, ...filterGaps(filter, namespacesIn(looked))] };
    const view = selectView(report, { ...flags, saved: path !== undefined }, filter, sort);

    const names = namesFor(flags);
    const style = tableStyle(process.stdout, process.env, flags['no-color']);
    await writePieces(inPieces(writeView(view, flags, names, style)), process.stdout);
    // JSON carries its gaps.
    const notes = flags.format.endsWith('json') ? [] : gapNotes(report.gaps, names);
    for (const note of notes) this.note(note);
    const limit = flags['fail-on'];
    if (limit !== undefined && isAtLeast(view, limit, filter !== undefined)) this.exit(EXIT.failed);
  }
}
