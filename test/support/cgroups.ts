import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { poll } from './poll.js';

/** Where the cgroups of version 2 are; `undefined`: this host has none, or they may not be made. */
export function cgroupRoot(): string | undefined {
  const mount = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, path, kind]) => kind === 'cgroup2' && path !== undefined);
  const root = mount?.[1];
  if (root === undefined) return undefined;
  const probe = join(root, `sw-probe-${process.pid}`);
  try {
    mkdirSync(probe);
    rmdirSync(probe);
    return root;
  } catch {
    return undefined;
  }
}

/** A cgroup of a test's own: processes that begin with `words` are in it. */
export class Cgroup {
  readonly path: string;

  constructor(root: string, name: string) {
    this.path = join(root, name);
    mkdirSync(this.path);
  }

  /** Words before a program that is to run here. */
  get words(): string[] {
    return ['sh', '-c', `echo $$ > ${join(this.path, 'cgroup.procs')} && exec "$@"`, 'sh'];
  }

  /** Once its processes have ended. */
  async remove(): Promise<void> {
    await poll(() => {
      rmdirSync(this.path);
      return true;
    }, `the end of the processes in ${this.path}`);
  }
}
