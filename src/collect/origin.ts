import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { NetnsMark, Origin } from '../model/observation.js';
import type { Source } from '../model/sockets.js';
import { monotonicMillis, wallMillis } from '../model/units.js';
import { readText } from './small-files.js';

/** Milliseconds of CLOCK_MONOTONIC: with the boot id comparable between processes. */
export const monotonicNow = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

/** Makes origins for one namespace: what does not change is read once. */
export function originMaker(proc: string): (source: Source) => Origin {
  const netns = inodeOf(join(proc, 'self/ns/net'));
  const bootId = readText(join(proc, 'sys/kernel/random/boot_id'))?.trim();
  const fixed = {
    host: hostname(),
    ...(netns !== undefined && { netns }),
    ...(bootId !== undefined && { bootId }),
  };
  return (source) => ({
    ...fixed,
    source,
    time: wallMillis(Date.now()),
    monotonic: monotonicMillis(monotonicNow()),
  });
}

/** When a namespace was mounted on its file; of a process it says nothing: the kernel makes that inode anew when it is asked for. */
export function mountMark({
  id,
  path,
}: {
  readonly id: string;
  readonly path: string;
}): NetnsMark | undefined {
  if (/^\/proc\//.test(path)) return undefined;
  try {
    const { ino, ctimeNs } = statSync(path, { bigint: true });
    return String(ino) === id ? `m${ctimeNs}` : undefined;
  } catch {
    return undefined;
  }
}

/** Inode of the network namespace that this process is in, as text. */
export const ownNamespace = (): string | undefined => inodeOf('/proc/self/ns/net');

export function inodeOf(path: string): string | undefined {
  try {
    return String(statSync(path).ino);
  } catch {
    return undefined;
  }
}
