import { OnAlert } from '../collect/on-alert.js';
import type { Report } from '../model/report.js';
import { alertProgramInput } from '../render/alert.js';
import type { LiveOptions } from './live-options.js';
import { EventFilter } from './live-reports.js';

/** The program of `--on-alert`, fed by reports. */
export interface AlertProgram {
  hear(report: Report): void;
  drain(): Promise<void>;
  end(): Promise<void>;
}

/** `undefined` without `--on-alert`. `onFailure` gets one line, once. */
export function startAlertProgram(
  { alertCommand: command, flags, mode, names, filter }: LiveOptions,
  onFailure: (text: string) => void,
): AlertProgram | undefined {
  if (command === undefined) return undefined;
  const showStderr = mode !== 'screen' || !process.stderr.isTTY;
  const program = new OnAlert({ command, timeoutMs: flags['on-alert-timeout'], showStderr, onFailure });
  const events = new EventFilter(filter);
  return {
    hear: (report) => {
      names.learn(report);
      for (const event of events.select(report)) program.push(alertProgramInput(event, report.origin, names));
    },
    drain: () => program.drain(),
    end: () => program.end(),
  };
}
