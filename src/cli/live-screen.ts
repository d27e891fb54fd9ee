import { hostname } from 'node:os';
import type { LiveSession } from './live-what.js';

/** Hands the reports to the screen, which owns the terminal until it ends; gives the exit status. */
export async function showScreen({
  options,
  reports,
  pace,
  demo,
  control,
  ending,
}: LiveSession): Promise<number> {
  const { flags, filter } = options;
  // Loading the screen takes a while, and only this needs it.
  const { runTui } = await import('../tui/app.js');
  return runTui({
    reports,
    pace,
    host: hostname(),
    demo: demo !== undefined,
    ascii: flags.ascii,
    color: !flags['no-color'],
    mouse: flags.mouse,
    bell: flags.bell,
    onEnd: () => ending.end(),
    ...(control !== undefined && { control }),
    ...(filter !== undefined && { filter: filter.text }),
  });
}
