import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { vi } from 'vitest';
import type { AlertJson, EventJson, SnapshotJson } from '../../src/model/json.js';
import type { ListenerJson } from '../../src/model/listener-json.js';
import { listenersOn, NOBODY, RUN_JS } from './cli.js';
import type { Namespace } from './netns.js';
import { PATIENCE_MS } from './poll.js';

/** `sockwatch live --format ndjson` in a namespace: everything it has said so far. */
export class LiveStream {
  readonly snapshots: SnapshotJson[] = [];
  readonly alerts: AlertJson[] = [];
  /** What came, went or changed hands. */
  readonly changes: EventJson[] = [];
  /** What stood on stderr so far. */
  errors = '';
  private readonly child: ChildProcess;

  constructor(namespace: Namespace, args: readonly string[], { unprivileged = false } = {}) {
    const own = [process.execPath, RUN_JS, 'live', '--format', 'ndjson', '--no-unix', ...args];
    const [program, ...words] = unprivileged ? ['setpriv', ...NOBODY, ...own] : own;
    this.child = namespace.spawn(program ?? '', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (this.errors += chunk));
    const { stdout } = this.child;
    if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.take(line));
  }

  private take(line: string): void {
    const said = JSON.parse(line) as SnapshotJson | AlertJson | EventJson;
    if (said.schema === 'sockwatch.snapshot/1') this.snapshots.push(said);
    else if (said.schema === 'sockwatch.event/1') this.changes.push(said);
    else this.alerts.push(said);
  }

  /** The next snapshot that is taken from now on. */
  async nextSnapshot(): Promise<SnapshotJson> {
    const seen = this.snapshots.length;
    return this.until(() => this.snapshots[seen]);
  }

  /** The alert events of one listener and phase, once there is one. */
  alert(phase: AlertJson['phase'], subject: string): Promise<AlertJson> {
    return this.until(() => this.alerts.find((one) => one.phase === phase && one.subject === subject));
  }

  /** What the looks since a time (ms of the wall clock) said of a listener. */
  since(time: number, port: number): ListenerJson[] {
    const later = this.snapshots.filter((said) => Date.parse(said.time) >= time);
    return later.flatMap((said) => listenersOn(said, port));
  }

  until<T>(find: () => T | undefined): Promise<T> {
    return vi.waitFor(() => {
      const found = find();
      if (found !== undefined) return found;
      const state = this.child.exitCode === null ? 'runs' : `ended with ${this.child.exitCode}`;
      const last = JSON.stringify(this.snapshots.at(-1)?.listeners).slice(0, 2000);
      throw new Error(
        `live ${state}; alerts ${JSON.stringify(this.alerts).slice(-2000)}; changes ${JSON.stringify(this.changes.map(({ subject, message }) => `${subject} ${message}`))}; last ${last}; ${this.errors}`,
      );
    }, PATIENCE_MS);
  }

  /** Stops it, or lets it go on. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends it as Ctrl-C does. */
  async interrupt(): Promise<number | null> {
    this.child.kill('SIGINT');
    if (this.child.exitCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }
}
