import { type ChildProcess, spawn } from 'node:child_process';

/** From SIGTERM to SIGKILL. */
const GRACE_MS = 500;

export type CommandWords = readonly [program: string, ...args: string[]];

export interface ProgramInput {
  /** For its stdin. */
  readonly input: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Whether what it writes to stderr may be seen: not on a terminal that a screen has taken. */
  readonly showStderr: boolean;
}

export interface ProgramRun {
  /** Why it failed, in words that follow its name; `undefined` after success. Never rejects. */
  readonly ended: Promise<string | undefined>;
  kill(): void;
}

/**
 * Runs a program without a shell. It leads a process group of its own, so that its timeout (SIGTERM, then SIGKILL)
 * and `kill` also end what it started, and Ctrl-C in the terminal does not cut it short.
 */
export function runProgram([program, ...args]: CommandWords, input: ProgramInput): ProgramRun {
  let child: ChildProcess;
  try {
    child = spawn(program, args, {
      stdio: ['pipe', 'ignore', input.showStderr ? 'inherit' : 'ignore'],
      env: { ...process.env, ...input.env },
      detached: true,
    });
  } catch (error) {
    return { ended: Promise.resolve(startFault(error as Error)), kill: () => {} };
  }
  // A program that does not read its stdin is no failure.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input.input);
  return { ended: ending(child, input.timeoutMs), kill: () => killGroup(child, 'SIGKILL') };
}

function ending(child: ChildProcess, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timers: NodeJS.Timeout[] = [];
    let timedOut = false;
    const expire = () => {
      timedOut = true;
      killGroup(child, 'SIGTERM');
      timers.push(setTimeout(() => killGroup(child, 'SIGKILL'), GRACE_MS));
    };
    timers.push(setTimeout(expire, timeoutMs));
    const settle = (fault: string | undefined) => {
      for (const timer of timers) clearTimeout(timer);
      if (timedOut) killGroup(child, 'SIGKILL');
      resolve(timedOut ? `took longer than ${timeoutMs} ms and was ended` : fault);
    };
    child.on('error', (error) => settle(startFault(error)));
    child.on('exit', (code, signal) => settle(endFault(code, signal)));
  });
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}

function startFault(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'was not found';
  return error.code === 'EACCES' ? 'may not be executed' : `could not be started: ${error.message}`;
}

function endFault(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (code === 0) return undefined;
  return code === null ? `was ended by ${signal}` : `ended with status ${code}`;
}
