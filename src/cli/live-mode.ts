import { terminalFacts } from '../tui/terminal-facts.js';
import type { LIVE_FORMATS } from './live-flags.js';
import { UsageError } from './usage.js';

export type LiveMode = 'screen' | 'lines' | 'ndjson';

interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: { readonly isTTY?: boolean };
  readonly stdout: { readonly isTTY?: boolean };
}

/**
 * How `live` shows itself. The screen needs a terminal on both sides: keys come from stdin.
 * Throws UsageError where a screen was asked for, or is due, and the terminal cannot show one.
 */
export function chooseMode(format: (typeof LIVE_FORMATS)[number], terminal: Terminal): LiveMode {
  if (format === 'lines' || format === 'ndjson') return format;
  const isTerminal = terminal.stdin.isTTY === true && terminal.stdout.isTTY === true;
  if (!isTerminal && format === 'auto') return 'lines';
  const why = isTerminal ? terminalFacts(terminal.env).refuse : 'stdin and stdout are not both a terminal';
  if (why === undefined) return 'screen';
  throw new UsageError(`no screen here: ${why}; use --format lines, or sockwatch snapshot`);
}
