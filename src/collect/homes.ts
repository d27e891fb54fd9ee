import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Container, Home } from '../model/namespace.js';
import { SOCKET_STATES } from '../model/sockets.js';
import type { SocketTable } from '../model/table.js';
import { parseCgroup } from '../parse/cgroup.js';
import { bundleName, dockerName, storageName } from '../parse/container-names.js';
import { containerUser, homeOfUser } from '../parse/container-user.js';
import type { Door } from './options.js';
import { inodeOf } from './origin.js';
import { readText } from './small-files.js';
import { readSmallFile } from './state-file.js';

const LISTEN = SOCKET_STATES.indexOf('listen');
/** Larger files are not what they should be. */
const LARGEST_BYTES = 4 << 20;
const MOST_NAMES = 10_000;

const DOCKER = 'var/lib/docker/containers';
const STORAGES = ['var/lib/containers/storage', 'run/containers/storage'];
const STORAGE_LISTS = ['containers.json', 'volatile-containers.json'];
/** Below the home of a user who runs containers without root. */
const USER_STORAGE = '.local/share/containers/storage';
const BUNDLES = 'run/containerd/io.containerd.runtime.v2.task';

/** Finds where processes live: from their cgroup, and names of containers from the files of their runtimes, without a daemon. */
export class HomeFinder {
  private readonly homes = new Map<number, Home>();
  private readonly asked = new Set<number>();
  private readonly names = new Map<string, string | undefined>();
  private readonly ownMounts: string | undefined;

  constructor(private readonly door: Pick<Door, 'proc' | 'root'>) {
    this.ownMounts = this.mountsOf('self');
  }

  /** Of one process, read now. Empty where it lives in none, or where that may not be read. */
  homeOf(pid: number): Home {
    return this.find(pid) ?? {};
  }

  /** The same; `undefined`: it has ended, or that may not be read. */
  find(pid: number): Home | undefined {
    const cgroup = readText(join(this.door.proc, String(pid), 'cgroup'));
    if (cgroup === undefined) return undefined;
    const home = parseCgroup(cgroup);
    const name = home.container && this.nameOf(home.container, pid, cgroup);
    return home.container === undefined || name === undefined
      ? home
      : { ...home, container: { ...home.container, name } };
  }

  /** Of the owners of the listeners of a table, by pid; read once, as long as each look asks for them. */
  ofListeners(table: SocketTable): ReadonlyMap<number, Home> {
    const found = new Map<number, Home>();
    for (let row = 0; row < table.length; row++) {
      if (table.state[row] !== LISTEN) continue;
      for (const { pid } of table.ownersAt(row) ?? [])
        if (!found.has(pid)) found.set(pid, this.keptHome(pid));
    }
    for (const [pid, home] of found) if (Object.keys(home).length === 0) found.delete(pid);
    return found;
  }

  /** Those that were not asked for since the last time: their pids may become those of others. */
  forgetOthers(): void {
    for (const pid of this.homes.keys()) if (!this.asked.has(pid)) this.homes.delete(pid);
    this.asked.clear();
  }

  private keptHome(pid: number): Home {
    this.asked.add(pid);
    const home = this.homes.get(pid) ?? { ...this.homeOf(pid), ...this.otherMounts(pid) };
    this.homes.set(pid, home);
    return home;
  }

  private otherMounts(pid: number): Pick<Home, 'mountNamespace'> {
    const mounts = this.mountsOf(pid);
    const isOther = mounts !== undefined && this.ownMounts !== undefined && mounts !== this.ownMounts;
    return isOther ? { mountNamespace: mounts } : {};
  }

  private mountsOf(pid: number | 'self'): string | undefined {
    return inodeOf(join(this.door.proc, String(pid), 'ns/mnt'));
  }

  private nameOf({ id, runtime }: Container, pid: number, cgroup: string): string | undefined {
    // Names of lxc are their ids; and the id becomes part of a path.
    if (runtime === 'lxc' || !/^[0-9a-f]{64}$/.test(id)) return undefined;
    if (!this.names.has(id)) {
      if (this.names.size >= MOST_NAMES) this.names.clear();
      this.names.set(id, this.readName(id) ?? this.readNameOfUser(id, pid, cgroup));
    }
    return this.names.get(id);
  }

  private readName(id: string): string | undefined {
    const { root } = this.door;
    return (
      dockerName(readAtMost(join(root, DOCKER, id, 'config.v2.json')) ?? '') ??
      first(STORAGES, (storage) => readStorageName(join(root, storage), id)) ??
      first(subfolders(join(root, BUNDLES)), (folder) =>
        bundleName(readAtMost(join(root, BUNDLES, folder, id, 'config.json')) ?? ''),
      )
    );
  }

  /** Of podman without root, whose storage is in the home of its user. What others have put there is not read. */
  private readNameOfUser(id: string, pid: number, cgroup: string): string | undefined {
    const { root, proc } = this.door;
    const user = containerUser(cgroup, readText(join(proc, String(pid), 'uid_map')) ?? '');
    if (user === undefined) return undefined;
    const home = homeOfUser(readAtMost(join(root, 'etc/passwd')) ?? '', user);
    const storages = [
      ...(home === undefined ? [] : [join(home, USER_STORAGE)]),
      join('run/user', String(user), 'containers'),
    ];
    return first(storages, (storage) => readStorageName(join(root, storage), id, user));
  }
}

/** Of podman and CRI-O: the bundle of CRI-O has the name in the pod, the list of the storage a longer one. */
function readStorageName(storage: string, id: string, owner?: number): string | undefined {
  const folder = join(storage, 'overlay-containers');
  return (
    bundleName(readAtMost(join(folder, id, 'userdata/config.json'), owner) ?? '') ??
    first(STORAGE_LISTS, (list) => storageName(readAtMost(join(folder, list), owner) ?? '', id))
  );
}

function first<T, R>(values: readonly T[], find: (value: T) => R | undefined): R | undefined {
  for (const value of values) {
    const found = find(value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function subfolders(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readAtMost(path: string, owner?: number): string | undefined {
  try {
    return readSmallFile(path, LARGEST_BYTES, owner);
  } catch {
    return undefined;
  }
}
