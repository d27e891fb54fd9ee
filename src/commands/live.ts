import * as Args from '@oclif/core/args';
import { BaseCommand, EXIT } from '../cli/base-command.js';
import { readConfig } from '../cli/config.js';
import { endOnSignals, quietEnding } from '../cli/ending.js';
import { readLiveSection } from '../cli/live-config.js';
import { liveFlags } from '../cli/live-flags.js';
import { LIVE_DESCRIPTION, LIVE_EXAMPLES, LIVE_SUMMARY } from '../cli/live-help.js';
import { chooseMode } from '../cli/live-mode.js';
import { readLiveOptions } from '../cli/live-options.js';
import { showScreen } from '../cli/live-screen.js';
import { openLive } from '../cli/live-session.js';
import { streamReports } from '../cli/live-stream.js';
import { keepHeapSmall } from '../cli/small-heap.js';
import { UsageError } from '../cli/usage.js';

export default class Live extends BaseCommand {
  static override summary = LIVE_SUMMARY;
  static override description = LIVE_DESCRIPTION;
  static override examples = LIVE_EXAMPLES;
  // Without it oclif looks for a command called `live:argument`, and says that.
  static override args = { surplus: Args.string({ hidden: true, ignoreStdin: true }) };
  static override flags = liveFlags;

  async run(): Promise<void> {
    keepHeapSmall();
    const { args, flags: given, metadata } = await this.parse(Live);
    if (args.surplus !== undefined)
      throw new UsageError(`unexpected argument ${JSON.stringify(args.surplus)}`);
    const config = given['no-config'] ? undefined : await readConfig(given.config);
    const isGiven = (name: string) => metadata.flags[name]?.setFromDefault !== true && name in given;
    const flags = { ...given, ...readLiveSection(config?.live, isGiven) };
    const mode = chooseMode(flags.format, process);
    const options = readLiveOptions(flags, mode);
    // The screen has handlers of its own, which give the terminal back first.
    const ending = mode === 'screen' ? quietEnding() : endOnSignals();
    const session = await openLive(options, ending, this.config.version);
    let status: number = EXIT.done;
    try {
      if (mode === 'screen') status = await showScreen(session);
      else if (!(await streamReports(session, process.stdout, (text) => this.note(text))))
        status = EXIT.failed;
    } finally {
      const drain = mode !== 'screen' && ending.status() === undefined;
      for (const { what, why } of await session.close({ drain })) this.note(`${what}: ${why}`);
    }
    this.exit(ending.status() ?? status);
  }
}
