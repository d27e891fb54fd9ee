import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROCESSES = 6;
const programOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** A network namespace full of connected sockets, so that a benchmark meets a busy host without disturbing this one. */
export interface Crowd {
  readonly sockets: number;
  /** The command that runs a program inside the namespace. */
  enter(command: readonly string[]): readonly string[];
  end(): Promise<void>;
}

/** So many pairs of connected sockets in six processes. */
export async function gatherCrowd(pairs: number): Promise<Crowd> {
  const each = Math.ceil(pairs / PROCESSES);
  const members = Array<readonly string[]>(PROCESSES).fill([programOf('crowd.py'), String(each)]);
  return gather('crowd', each * PROCESSES * 2, members);
}

/** As many processes as connections, as on a host of many small containers, and one at the other ends. */
export async function gatherVillage(processes: number): Promise<Crowd> {
  return gather('village', processes * 2, [[programOf('villagers.py'), String(processes)]]);
}

async function gather(
  kind: string,
  sockets: number,
  programs: readonly (readonly string[])[],
): Promise<Crowd> {
  const name = `sw-bench-${kind}-${process.pid}`;
  execFileSync('ip', ['netns', 'add', name]);
  const enter = (command: readonly string[]) => ['nsenter', `--net=/run/netns/${name}`, ...command];
  execFileSync('nsenter', [`--net=/run/netns/${name}`, 'ip', 'link', 'set', 'lo', 'up']);
  const members: ChildProcess[] = [];
  const end = async () => {
    await Promise.all(members.map(endMember));
    execFileSync('ip', ['netns', 'del', name]);
  };
  try {
    for (const program of programs) members.push(startMember(enter, program));
    await Promise.all(members.map(untilReady));
    return { sockets, enter, end };
  } catch (error) {
    await end();
    throw error;
  }
}

function startMember(enter: Crowd['enter'], program: readonly string[]): ChildProcess {
  const [file = '', ...args] = enter(['python3', ...program]);
  return spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function untilReady(member: ChildProcess): Promise<void> {
  const gone = once(member, 'exit').then(() =>
    Promise.reject(new Error('a process of the crowd ended early')),
  );
  const ready = once(member.stdout ?? member, 'data');
  await Promise.race([ready, gone]);
  gone.catch(() => undefined);
}

async function endMember(member: ChildProcess): Promise<void> {
  if (member.exitCode !== null) return;
  member.stdin?.end();
  await once(member, 'exit');
}
