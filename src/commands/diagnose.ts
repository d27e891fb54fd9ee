import { BaseCommand, EXIT } from '../cli/base-command.js';
import { diagnoseFlags, filterText, readDiagnosisLimits } from '../cli/diagnose-flags.js';
import { watchAndDiagnose, writeDiagnosis } from '../cli/diagnose-run.js';
import { endOnSignals } from '../cli/ending.js';
import { readFilter } from '../cli/filter.js';
import { namesFor } from '../cli/names.js';
import { inPieces, writePieces } from '../cli/output.js';
import { isMet } from '../cli/rule-limits.js';
import { refuseSurplus, surplusArgs } from '../cli/surplus.js';
import { tableStyle } from '../cli/terminal.js';

export default class Diagnose extends BaseCommand {
  static override readonly summary = 'Look for a few seconds, and say what is wrong and what to do';

  static override readonly description = [
    'Queues, pools, leaks, limits, ports, buffers and retries: each finding with its evidence, why it matters, what to do, and how',
    'sure it is; the worst first. Where nothing is wrong, it says so, and what was looked at. It changes nothing on the host.',
  ].join(' ');

  static override readonly examples = [
    { description: 'five seconds of this host', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'one service', command: '<%= config.bin %> <%= command.id %> --port 443 --duration 20s' },
    { description: 'one process', command: '<%= config.bin %> <%= command.id %> --pid 812' },
    {
      description: 'two containers, each by itself',
      command: '<%= config.bin %> <%= command.id %> --netns web,shop',
    },
    {
      description: 'every container and network namespace of this host, each by itself',
      command: '<%= config.bin %> <%= command.id %> --netns all',
    },
    {
      description: 'an incident afterwards',
      command: '<%= config.bin %> <%= command.id %> --from incident.ndjson.gz',
    },
    {
      description: 'in a script',
      command: '<%= config.bin %> <%= command.id %> --format json --fail-on warning',
    },
  ];

  static override readonly args = surplusArgs;
  static override readonly flags = diagnoseFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Diagnose);
    refuseSurplus(args);
    const filter = readFilter(filterText(flags));
    const limits = readDiagnosisLimits(flags['fail-on']);
    const ending = endOnSignals();

    const diagnosis = await watchAndDiagnose(flags, filter, ending.signal, limits);

    const style = tableStyle(process.stdout, process.env, flags['no-color']);
    const text = writeDiagnosis(diagnosis, flags.format, namesFor(flags), style);
    await writePieces(inPieces(text), process.stdout);
    if (limits !== undefined && isMet(diagnosis.findings, limits)) this.exit(EXIT.failed);
    this.exit(ending.status() ?? EXIT.done);
  }
}
