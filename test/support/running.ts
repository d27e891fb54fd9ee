import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { RUN_JS } from './cli.js';
import type { Finished, Namespace } from './netns.js';
import { PATIENCE_MS } from './poll.js';

interface StartOptions {
  readonly namespace?: Namespace;
  readonly env?: NodeJS.ProcessEnv;
}

/** The built command while it runs: its lines as they come, and its end. */
export class Running {
  private stdout = '';
  private stderr = '';
  private readonly ending: Promise<Finished>;

  static start(args: readonly string[], { namespace, env = {} }: StartOptions = {}): Running {
    const words = [RUN_JS, ...args];
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    const child =
      namespace === undefined
        ? spawn(process.execPath, words, { stdio: [...stdio], env: { ...process.env, ...env } })
        : namespace.spawn(process.execPath, words, { stdio: [...stdio], env });
    return new Running(child);
  }

  private constructor(readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (this.stdout += chunk));
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (this.stderr += chunk));
    this.ending = once(child, 'close').then(([code]) => ({ code: code as number | null, ...this.output }));
  }

  get output(): Pick<Finished, 'stdout' | 'stderr'> {
    return { stdout: this.stdout, stderr: this.stderr };
  }

  /** Whole lines of stdout so far. */
  get lines(): readonly string[] {
    return this.stdout.split('\n').slice(0, -1);
  }

  /** Waits for a line of stdout that matches; the error shows what came instead. */
  async line(pattern: RegExp, timeoutMs = PATIENCE_MS): Promise<string> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      if (performance.now() > end || this.child.exitCode !== null) {
        throw new Error(`no line like ${pattern} in ${JSON.stringify(this.output, null, 1)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Its end; one that does not come within the time is forced, and an error. */
  async ended(timeoutMs = PATIENCE_MS): Promise<Finished> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), timeoutMs);
    const finished = await this.ending;
    clearTimeout(timer);
    if (finished.code === null) {
      throw new Error(`did not end by itself: ${JSON.stringify(finished, null, 1)}`);
    }
    return finished;
  }
}

/** Runs the built command to its end. */
export const runToEnd = (args: readonly string[], options?: StartOptions): Promise<Finished> =>
  Running.start(args, options).ended();
