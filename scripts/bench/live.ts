import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import * as pty from '@lydell/node-pty';
import type { Crowd } from './crowd.js';
import { summarise, type Times } from './measure.js';

const TICKS_PER_SECOND = 100;
const KEYS = 40;

export interface LiveFigures {
  readonly seconds: number;
  /** Share of one core, children included. */
  readonly cpu: number;
  readonly peakRssMegabytes: number;
  /** From a key press to the first byte of the answer on the screen. */
  readonly keyMs: Times;
  readonly bytesPerSecond: number;
}

/** Runs `sockwatch live` in a terminal of its own, presses keys now and then, and reads what it cost from /proc. */
export async function measureLive(
  crowd: Crowd,
  cli: string,
  seconds: number,
  more: readonly string[] = [],
): Promise<LiveFigures> {
  const [file = '', ...args] = crowd.enter([process.execPath, cli, 'live', '--interval', '1s', ...more]);
  const terminal = pty.spawn(file, [...args], {
    name: 'xterm-256color',
    cols: 120,
    rows: 40,
    env: { ...process.env, LANG: 'C.UTF-8' },
  });
  let bytes = 0;
  let answered: (() => void) | undefined;
  terminal.onData((data) => {
    bytes += data.length;
    answered?.();
  });
  const exited = new Promise<void>((resolve) => terminal.onExit(() => resolve()));
  try {
    await sleep(8000);
    const before = cpuSeconds(terminal.pid);
    const start = performance.now();
    const bytesBefore = bytes;
    const keys: number[] = [];
    terminal.write('4');
    while (performance.now() - start < seconds * 1000) {
      await sleep((seconds * 1000) / KEYS + 37);
      const pressed = performance.now();
      const answer = new Promise<void>((resolve) => {
        answered = resolve;
      });
      terminal.write('j');
      await Promise.race([answer, sleep(5000)]);
      keys.push(performance.now() - pressed);
      answered = undefined;
    }
    const elapsed = (performance.now() - start) / 1000;
    return {
      seconds: elapsed,
      cpu: (cpuSeconds(terminal.pid) - before) / elapsed,
      peakRssMegabytes: peakRss(terminal.pid),
      keyMs: summarise(keys),
      bytesPerSecond: (bytes - bytesBefore) / elapsed,
    };
  } finally {
    terminal.write('q');
    await Promise.race([exited, sleep(5000).then(() => terminal.kill('SIGKILL'))]);
  }
}

/** User and system time of a process and of its children that have ended (proc(5), stat, fields 14 to 17). */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0) / TICKS_PER_SECOND;
}

function peakRss(pid: number): number {
  const line = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? Number.NaN) / 1024;
}
