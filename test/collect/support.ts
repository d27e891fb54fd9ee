import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CollectOptions } from '../../src/collect/options.js';
import { PROTOCOLS, SOCKET_STATES } from '../../src/model/sockets.js';
import { SocketTable } from '../../src/model/table.js';

const programs = fileURLToPath(new URL('../../fixtures/programs/', import.meta.url));

/** A search path whose `ss` is the one of fixtures/programs/NAME. */
export const pathWith = (name: string): string => `${programs}${name}:${process.env.PATH}:/usr/sbin:/sbin`;

export const OPTIONS: CollectOptions = {
  source: 'ss',
  udp: false,
  unix: false,
  scope: 'troubled',
  owners: false,
  timeoutMs: 5000,
};

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for a condition, and fails with its name where it does not come true. */
export async function until(what: string, condition: () => boolean, timeoutMs = 5000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await sleep(10);
  }
}

export async function pidIn(file: string): Promise<number> {
  await until(`the pid in ${file}`, () => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'));
  return Number(readFileSync(file, 'utf8'));
}

/** TCP listeners with these inodes. */
export function listenersWith(...inodes: number[]): SocketTable {
  const table = new SocketTable();
  for (const inode of inodes) {
    const row = table.append();
    table.protocol[row] = PROTOCOLS.indexOf('tcp');
    table.state[row] = SOCKET_STATES.indexOf('listen');
    table.setFlag(row, 'queues');
    table.set('inode', row, inode);
  }
  return table;
}
