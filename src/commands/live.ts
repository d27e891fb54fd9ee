import { BaseCommand, EXIT } from '../cli/base-command.js';
import { endOnSignals, quietEnding } from '../cli/ending.js';
import { liveFlags } from '../cli/live-flags.js';
import { LIVE_DESCRIPTION, LIVE_EXAMPLES, LIVE_SUMMARY } from '../cli/live-help.js';
import { chooseMode } from '../cli/live-mode.js';
import { readLiveOptions } from '../cli/live-options.js';
import { showScreen } from '../cli/live-screen.js';
import { openLive } from '../cli/live-session.js';
import { streamReports } from '../cli/live-stream.js';
import { keepHeapSmall } from '../cli/small-heap.js';

export default class Live extends BaseCommand {
  static override summary = LIVE_SUMMARY;
  static override description = LIVE_DESCRIPTION;
  static override examples = LIVE_EXAMPLES;
  static override flags = liveFlags;

  async run(): Promise<void> {
    keepHeapSmall();
    const { flags } = await this.parse(Live);
    const mode = chooseMode(flags.format, process);
    const options = readLiveOptions(flags, mode);
    // The screen has handlers of its own, which give the terminal back first.
    const ending = mode === 'screen' ? quietEnding() : endOnSignals();
    const session = await openLive(options, ending);
    let status: number = EXIT.done;
    try {
      if (mode === 'screen') status = await showScreen(session);
      else await streamReports(session, process.stdout, (text) => this.note(text));
    } finally {
      const drain = mode !== 'screen' && ending.status() === undefined;
      for (const { what, why } of await session.close({ drain })) this.note(`${what}: ${why}`);
    }
    this.exit(ending.status() ?? status);
  }
}
