import { constants } from 'node:os';

const HANDLED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** What is still busy after this does not keep the process. */
const GRACE_MS = 1000;

/** The end of a command that runs until it is told to stop. */
export interface Ending {
  /** Aborted when the end has come. */
  readonly signal: AbortSignal;
  /** 128 + n once a signal came. */
  status(): number | undefined;
  end(): void;
}

/** An end that only the program itself brings about. */
export function quietEnding(): Ending {
  const controller = new AbortController();
  return { signal: controller.signal, status: () => undefined, end: () => controller.abort() };
}

/** SIGINT, SIGTERM and SIGHUP end too, with their status; a second one, or a second that passes, ends the process. */
export function endOnSignals(): Ending {
  const ending = quietEnding();
  let status: number | undefined;
  const hear = (signal: NodeJS.Signals) => {
    if (status !== undefined) process.exit(status);
    status = 128 + constants.signals[signal];
    ending.end();
    setTimeout(() => process.exit(status), GRACE_MS).unref();
  };
  for (const signal of HANDLED) process.on(signal, hear);
  return { ...ending, status: () => status };
}
