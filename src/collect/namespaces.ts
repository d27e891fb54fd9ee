import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Namespace } from '../model/namespace.js';
import type { MissingNamespace, NetnsMark } from '../model/observation.js';
import { HomeFinder } from './homes.js';
import type { NamespacePlace } from './netns-enter.js';
import type { Door } from './options.js';
import { inodeOf, monotonicNow, mountMark } from './origin.js';
import { isDenied, listPids } from './process-fds.js';
import { type Residence, Residents } from './residents.js';
import { Effort } from './thread-time.js';

/** A namespace that can perhaps be entered. */
export interface FoundNamespace {
  readonly namespace: Namespace;
  readonly place: NamespacePlace;
  /** The lowest pid in it; absent: no process that may be seen lives there. */
  readonly pid?: number;
  /** Of its file: it tells whether that is of the same namespace still. */
  readonly mark?: NetnsMark;
}

export interface FoundNamespaces {
  /** Our own first, then by id. */
  readonly found: readonly FoundNamespace[];
  /** Processes in namespaces that may not be seen. */
  readonly hiddenProcesses: number;
  /**
   * From where was looked, where all processes could be seen: what one look from there did not find was not there, unless only a thread or an
   * open descriptor kept it. Namespaces of processes and of files are those that this PID namespace and this /run show.
   */
  readonly sight?: string;
  /** Asked for by name, and not there. */
  readonly missing?: readonly MissingNamespace[];
  /** Those that nobody asked for, where only some were asked for. */
  readonly others?: readonly Namespace[];
}

/** Where tools keep namespaces that may have no process: files on which the namespace is mounted. */
const FOLDERS = ['run/netns', 'run/docker/netns'];
/** A search through all processes may take this share of one core, of processor time. */
const SCAN_SHARE = 0.05;

interface Scan {
  /** The lowest pid in each namespace, by id. */
  readonly pids: ReadonlyMap<string, number>;
  readonly residents: ReadonlyMap<string, Residence>;
  /** That of process 1, where this is the first PID namespace; in a container process 1 is nobody's host. */
  readonly host: string | undefined;
  readonly hiddenProcesses: number;
}

const NO_SCAN: Scan = { pids: new Map(), residents: new Map(), host: undefined, hiddenProcesses: 0 };

/** Finds every network namespace in which a process lives, or which is kept in a file, again and again. */
export class NamespaceFinder {
  private readonly residents: Residents;
  private scan = NO_SCAN;
  private nextScanAt = Number.NEGATIVE_INFINITY;
  private known = new Map<string, FoundNamespace>();
  /** Files below the folders on which this mount namespace has no namespace: another one may have. */
  private plainFiles = 0;

  constructor(private readonly door: Pick<Door, 'proc' | 'root'>) {
    this.residents = new Residents(new HomeFinder(door));
  }

  /** Cheap where nothing has changed: on a host with thousands of processes they are not all looked through each time. */
  find(): FoundNamespaces {
    const files = this.readFolders();
    // A first process that has ended may have left others behind.
    const isStale = [...this.scan.pids].some(([id, pid]) => this.namespaceOf(pid) !== id);
    if (isStale || monotonicNow() >= this.nextScanAt) this.scanProcesses();
    const ids = new Set([...this.scan.pids.keys(), ...files.keys()]);
    const own = this.namespaceOf('self');
    const found = [...ids]
      .sort((a, b) => rank(a, own) - rank(b, own))
      .map((id) => this.describe(id, files.get(id)));
    this.known = new Map(found.map((one) => [one.namespace.id, one]));
    const { hiddenProcesses } = this.scan;
    // Where procfs hides processes (hidepid=2) process 1 is not even listed.
    const seesAll = hiddenProcesses === 0 && this.namespaceOf(1) !== undefined;
    const sight = seesAll ? this.sight() : undefined;
    return { found, hiddenProcesses, ...(sight !== undefined && { sight }) };
  }

  private sight(): string | undefined {
    const { proc, root } = this.door;
    const [pids, mounts] = ['pid', 'mnt'].map((kind) => inodeOf(join(proc, 'self/ns', kind)));
    const run = placeOf(join(root, 'run'));
    if (pids === undefined || mounts === undefined || run === undefined) return undefined;
    return `pid:${pids} run:${run}${this.plainFiles === 0 ? '' : ` mnt:${mounts}`}`;
  }

  /** The same object as long as nothing about it has changed. */
  private describe(id: string, file: string | undefined): FoundNamespace {
    const { pids, host, residents } = this.scan;
    const pid = pids.get(id);
    const path = file ?? join(this.door.proc, String(pid), 'ns/net');
    const name = id === host ? 'host' : file?.slice(file.lastIndexOf('/') + 1);
    const { containers, ...home } = residents.get(id) ?? {};
    const namespace: Namespace = {
      id,
      ...(name !== undefined && { name }),
      // The host is no container, whatever its first process is in.
      ...(id !== host && home),
      ...(containers !== undefined && { containers }),
    };
    const before = this.known.get(id);
    const mark = mountMark({ id, path });
    const isSame = before?.pid === pid && before?.place.path === path && before.mark === mark;
    if (before !== undefined && isSame && isDeepStrictEqual(before.namespace, namespace)) return before;
    return {
      namespace,
      place: { id, path },
      ...(pid !== undefined && { pid }),
      ...(mark !== undefined && { mark }),
    };
  }

  private scanProcesses(): void {
    const effort = new Effort();
    const processes = new Map<number, string>();
    const hidden: number[] = [];
    for (const pid of listPids(this.door.proc)) {
      const id = this.namespaceOf(pid);
      if (id === 'hidden') hidden.push(pid);
      else if (id !== undefined) processes.set(pid, id);
    }
    const pids = new Map<string, number>();
    for (const [pid, id] of processes) pids.set(id, Math.min(pid, pids.get(id) ?? Number.POSITIVE_INFINITY));
    const { elsewhere, isSure } = this.place(hidden, pids, processes);
    // Where procfs hides processes (hidepid=2) process 1 is not even listed.
    const seesAll = isSure && this.namespaceOf(1) !== undefined;
    const isFirst = inodeOf(join(this.door.proc, 'self/ns/pid')) === FIRST_PID_NAMESPACE;
    this.scan = {
      pids,
      residents: this.residents.find(processes, seesAll),
      host: isFirst ? processes.get(1) : undefined,
      hiddenProcesses: elsewhere,
    };
    effort.pause();
    this.nextScanAt = monotonicNow() + effort.ms / SCAN_SHARE;
  }

  /**
   * Adds to `processes` those whose namespace may not be read, but is that of others; counts those that are elsewhere.
   * A file below /proc/PID/net is one inode for all processes of a namespace, and needs no privilege (fs/proc/proc_net.c).
   */
  private place(
    hidden: readonly number[],
    seen: ReadonlyMap<string, number>,
    processes: Map<number, string>,
  ): { readonly elsewhere: number; readonly isSure: boolean } {
    if (hidden.length === 0) return { elsewhere: 0, isSure: true };
    const fileOf = (pid: number) => inodeOf(join(this.door.proc, String(pid), 'net/netstat'));
    const ids = new Map([...seen].map(([id, pid]) => [fileOf(pid), id] as const));
    ids.delete(undefined);
    let [elsewhere, unknown] = [0, 0];
    for (const pid of hidden) {
      const file = fileOf(pid);
      const id = ids.get(file);
      if (id !== undefined) processes.set(pid, id);
      else elsewhere++;
      if (file === undefined && this.namespaceOf(pid) === 'hidden') unknown++;
    }
    return { elsewhere, isSure: unknown === 0 };
  }

  /** `undefined`: the process has ended. Kernel threads are in that of the host. */
  private namespaceOf(pid: number | 'self'): string | undefined {
    try {
      return /^net:\[(\d+)\]$/.exec(readlinkSync(join(this.door.proc, String(pid), 'ns/net')))?.[1];
    } catch (error) {
      return isDenied(error) ? 'hidden' : undefined;
    }
  }

  /** Paths by id. */
  private readFolders(): Map<string, string> {
    const files = new Map<string, string>();
    this.plainFiles = 0;
    const device = deviceOf(join(this.door.proc, 'self/ns/net'));
    for (const folder of FOLDERS) {
      for (const name of namesIn(join(this.door.root, folder))) {
        const path = join(this.door.root, folder, name);
        // One that was left behind when its namespace was unmounted is an empty file of another file system.
        if (deviceOf(path) !== device) {
          this.plainFiles++;
          continue;
        }
        const id = inodeOf(path);
        if (id !== undefined && !files.has(id)) files.set(id, path);
      }
    }
    return files;
  }
}

/** Inode of the first PID namespace: PROC_PID_INIT_INO of include/linux/proc_ns.h. */
const FIRST_PID_NAMESPACE = '4026531836';

const rank = (id: string, own: string | undefined): number => (id === own ? -1 : Number(id));

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Device and inode; `undefined`: it cannot be seen. */
function placeOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function deviceOf(path: string): number | undefined {
  try {
    return statSync(path).dev;
  } catch {
    return undefined;
  }
}
