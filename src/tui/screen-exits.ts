/** Why the program must end: with which status, and the error to show once the terminal is given back. */
export interface Ending {
  readonly status: number;
  readonly error?: unknown;
}

const SIGNALS = [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGQUIT', 3],
  ['SIGTERM', 15],
] as const;

const HANGUP: Ending = { status: 129 };

/**
 * Calls `end` for everything that ends a program from outside: signals (128 + n), a crash (1), a terminal that went
 * away (as SIGHUP). Returns how to stop listening. The screen library's own handlers stand down when others listen.
 */
export function watchExits(end: (ending: Ending) => void): () => void {
  const undo: (() => void)[] = [];
  const listen = (emitter: NodeJS.EventEmitter, event: string, handler: (value: unknown) => void) => {
    emitter.on(event, handler);
    undo.push(() => emitter.off(event, handler));
  };
  for (const [signal, number] of SIGNALS) listen(process, signal, () => end({ status: 128 + number }));
  listen(process, 'uncaughtException', (error) => end({ status: 1, error }));
  listen(process, 'unhandledRejection', (error) => end({ status: 1, error }));
  for (const event of ['end', 'close', 'error']) listen(process.stdin, event, () => end(HANGUP));
  for (const event of ['close', 'error']) listen(process.stdout, event, () => end(HANGUP));
  return () => {
    for (const stop of undo) stop();
  };
}

/**
 * Ends as a program does whose terminal went away: killed by SIGHUP, which a parent sees as status 129. Node cannot
 * exit then: it wants to reset the modes of the terminal, and aborts with a core dump where that fails (node.cc,
 * ResetStdio).
 */
export function dieOfHangup(): void {
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}

/**
 * Writes to a terminal that went away fail again after `watchExits` has stopped, and an error event that nobody hears
 * ends the process with a stack: these last ones have nothing to say.
 */
export function ignoreBrokenTerminal(): void {
  for (const stream of [process.stdin, process.stdout]) stream.on('error', () => undefined);
}
