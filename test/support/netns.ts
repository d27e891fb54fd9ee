import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { PATIENCE_MS } from './poll.js';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
}

/** The programs that these tests need lie in /usr/sbin on some hosts whose PATH has no /usr/sbin. */
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
const present = new Set<Namespace>();
let made = 0;

process.once('exit', () => {
  for (const namespace of present) namespace.removeNow();
});

/** A network namespace of a test's own, with loopback up. What is started in it ends with it. */
export class Namespace {
  readonly name = `sw-${process.pid}-${made++}`;
  readonly path = `/run/netns/${this.name}`;
  private readonly children = new Set<ChildProcess>();
  private readonly cleanups: (() => void | Promise<void>)[] = [];

  constructor() {
    ip('netns', 'add', this.name);
    present.add(this);
    ip('-n', this.name, 'link', 'set', 'lo', 'up');
  }

  /** Inode of the namespace, as `readlink /proc/self/ns/net` shows it there. */
  get id(): string {
    return String(statSync(this.path).ino);
  }

  /** The words that run a program here. Not `ip netns exec`: its own /sys makes `ss -e` slow and noisy. */
  enter(program: string, args: readonly string[]): readonly [string, string[]] {
    return ['nsenter', [`--net=${this.path}`, '--', program, ...args]];
  }

  /** Starts a program; its pid is the program's own, for nsenter becomes it. */
  spawn(program: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const [command, words] = this.enter(program, args);
    const child = spawn(command, words, { ...options, env: { ...process.env, ...options.env, PATH } });
    this.children.add(child);
    child.once('close', () => this.children.delete(child));
    return child;
  }

  async run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const { input = '', env = {}, timeoutMs = PATIENCE_MS } = options;
    const child = this.spawn(program, args, { env, timeout: timeoutMs, killSignal: 'SIGKILL' });
    const text = { stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text.stdout += chunk));
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (text.stderr += chunk));
    child.stdin?.on('error', () => {}); // a program that does not read its input
    child.stdin?.end(input);
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...text };
  }

  /** As `run`, for set-up that must not fail: the error says what was said. */
  async must(program: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(program, args);
    if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  }

  sysctl(name: string, value: number): Promise<string> {
    return this.must(
      'sh',
      '-c',
      'printf %s "$2" > "/proc/sys/$1"',
      'sh',
      name.replaceAll('.', '/'),
      `${value}`,
    );
  }

  /** One counter of this namespace, read without sockwatch: `ListenOverflows`. */
  async counter(name: string): Promise<number> {
    const lines = (await this.must('cat', '/proc/net/netstat', '/proc/net/snmp')).split('\n');
    for (let at = 0; at + 1 < lines.length; at += 2) {
      const place = (lines[at] ?? '').split(' ').indexOf(name);
      if (place > 0) return Number((lines[at + 1] ?? '').split(' ')[place]);
    }
    throw new Error(`the kernel has no counter ${name}`);
  }

  /** Something to end in good order before the rest is killed. */
  onRemove(cleanup: () => void | Promise<void>): void {
    this.cleanups.push(cleanup);
  }

  async remove(): Promise<void> {
    for (const cleanup of this.cleanups.reverse()) await cleanup();
    const ended = [...this.children].map((child) => once(child, 'close'));
    this.kill();
    await Promise.all(ended);
    this.removeNow();
  }

  /** Removes it and makes another one of the same name, with `meanwhile` between. */
  async renew(meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    await this.remove();
    await meanwhile();
    ip('netns', 'add', this.name);
    present.add(this);
    ip('-n', this.name, 'link', 'set', 'lo', 'up');
  }

  removeNow(): void {
    this.kill();
    if (present.delete(this)) ip('netns', 'delete', this.name);
  }

  private kill(): void {
    for (const { pid } of this.children) for (const one of family(pid)) killQuietly(one);
  }
}

/** A process and what it started: a server killed alone would leave its workers behind. */
function family(pid: number | undefined): number[] {
  return pid === undefined ? [] : [pid, ...childrenOf(pid).flatMap(family)];
}

/** Pids of the processes that a process started, as the kernel lists them. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return []; // it has ended
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}

const ip = (...args: string[]) => execFileSync('ip', args, { env: { ...process.env, PATH }, stdio: 'pipe' });

/** Runs a test in a namespace of its own, which goes away whatever happens. */
export async function withNamespace<T>(use: (namespace: Namespace) => Promise<T>): Promise<T> {
  const namespace = new Namespace();
  try {
    return await use(namespace);
  } finally {
    await namespace.remove();
  }
}

export const SERVER_ADDRESS = '10.77.0.1';
export const SERVER_ADDRESS_6 = 'fd77::1';

/** A server and a client namespace, joined by a cable: counters and firewalls of one do not touch the other. */
export async function withPair<T>(use: (server: Namespace, client: Namespace) => Promise<T>): Promise<T> {
  return withNamespace((server) =>
    withNamespace(async (client) => {
      ip(
        '-n',
        server.name,
        'link',
        'add',
        'sw0',
        'type',
        'veth',
        'peer',
        'name',
        'sw0',
        'netns',
        client.name,
      );
      for (const [namespace, host] of [[server, 1] as const, [client, 2] as const]) {
        ip('-n', namespace.name, 'addr', 'add', `10.77.0.${host}/24`, 'dev', 'sw0');
        ip('-n', namespace.name, 'addr', 'add', `fd77::${host}/64`, 'dev', 'sw0', 'nodad');
        ip('-n', namespace.name, 'link', 'set', 'sw0', 'up');
      }
      return use(server, client);
    }),
  );
}

export const NEAR_ADDRESS = '10.78.0.1';
export const FAR_ADDRESS = '10.78.0.2';

/** Two namespaces far from each other: a packet takes `delayMs` either way, so that segments really cross. */
export async function withFarPair<T>(
  delayMs: number,
  use: (near: Namespace, far: Namespace) => Promise<T>,
): Promise<T> {
  const { Agent } = await import('./agent.js');
  return withNamespace((near) =>
    withNamespace(async (far) => {
      const cable = await Agent.start(near, 'far.py');
      await cable.ask('connect', { first: near.path, second: far.path, device: 'sw1', delay_ms: delayMs });
      for (const [namespace, host] of [[near, 1] as const, [far, 2] as const]) {
        ip('-n', namespace.name, 'addr', 'add', `10.78.0.${host}/24`, 'dev', 'sw1');
        ip('-n', namespace.name, 'link', 'set', 'sw1', 'up');
      }
      return use(near, far);
    }),
  );
}

/** Whether the kernel of this host has a setting, as `net/mptcp/enabled`. */
export function kernelHas(setting: string): boolean {
  try {
    return readFileSync(`/proc/sys/${setting}`, 'utf8') !== '';
  } catch {
    return false;
  }
}
