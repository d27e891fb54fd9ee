import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROCESSES = 6;
const program = fileURLToPath(new URL('crowd.py', import.meta.url));

/** A network namespace full of connected sockets, so that a benchmark meets a busy host without disturbing this one. */
export interface Crowd {
  readonly sockets: number;
  /** The command that runs a program inside the namespace. */
  enter(command: readonly string[]): readonly string[];
  end(): Promise<void>;
}

export async function gatherCrowd(pairs: number): Promise<Crowd> {
  const name = `sw-bench-${process.pid}`;
  execFileSync('ip', ['netns', 'add', name]);
  const enter = (command: readonly string[]) => ['nsenter', `--net=/run/netns/${name}`, ...command];
  execFileSync('nsenter', [`--net=/run/netns/${name}`, 'ip', 'link', 'set', 'lo', 'up']);
  const members: ChildProcess[] = [];
  const end = async () => {
    await Promise.all(members.map(endMember));
    execFileSync('ip', ['netns', 'del', name]);
  };
  try {
    const each = Math.ceil(pairs / PROCESSES);
    for (let member = 0; member < PROCESSES; member++) members.push(startMember(enter, each));
    await Promise.all(members.map(untilReady));
    return { sockets: each * PROCESSES * 2, enter, end };
  } catch (error) {
    await end();
    throw error;
  }
}

function startMember(enter: Crowd['enter'], pairs: number): ChildProcess {
  const [file = '', ...args] = enter(['python3', program, String(pairs)]);
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
