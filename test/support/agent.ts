import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Namespace } from './netns.js';

interface Answer {
  readonly id?: number;
  readonly ready?: number;
  readonly result?: unknown;
  readonly error?: string;
}

interface Waiter {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A python program of `programs/` in a namespace, which does what it is told and says when it is done. */
export class Agent {
  private asked = 0;
  private readonly waiters = new Map<number, Waiter>();
  private errors = '';
  private ended = false;

  static async start(namespace: Namespace, program: string): Promise<Agent> {
    const path = fileURLToPath(new URL(`programs/${program}`, import.meta.url));
    const agent = new Agent(namespace.spawn('python3', ['-B', path], { stdio: 'pipe' }), program);
    namespace.onRemove(() => agent.end());
    await agent.answerTo(0);
    return agent;
  }

  private constructor(
    private readonly child: ChildProcess,
    private readonly program: string,
  ) {
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (this.errors += chunk));
    child.stdin?.on('error', () => {}); // the program ended: `close` says so
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on('line', (line) => this.hear(JSON.parse(line) as Answer));
    child.once('close', () => this.failAll());
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async ask<T>(command: string, options: object = {}): Promise<T> {
    const id = ++this.asked;
    this.child.stdin?.write(`${JSON.stringify({ id, do: command, with: options })}\n`);
    return (await this.answerTo(id)) as T;
  }

  /** Lets the program end its own children; what does not end at once is killed with the namespace. */
  private async end(): Promise<void> {
    if (this.ended) return;
    const closed = once(this.child, 'close', { signal: AbortSignal.timeout(2000) });
    this.signal('SIGCONT');
    this.child.stdin?.end();
    await closed.catch(() => {});
  }

  private answerTo(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.waiters.set(id, { resolve, reject });
      if (this.ended) this.failAll();
    });
  }

  private hear({ id = 0, result, error }: Answer): void {
    const waiter = this.waiters.get(id);
    this.waiters.delete(id);
    if (error === undefined) waiter?.resolve(result);
    else waiter?.reject(new Error(`${this.program}: ${error}`));
  }

  private failAll(): void {
    this.ended = true;
    const error = new Error(`${this.program} ended: ${this.errors || 'no message'}`);
    for (const waiter of this.waiters.values()) waiter.reject(error);
  }
}
