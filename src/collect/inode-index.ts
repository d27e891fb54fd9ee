import type { Owner } from '../model/sockets.js';
import type { ProcessFds } from './process-fds.js';

const HASH = 0x9e3779b1;
const NONE = -1;

/**
 * Inode -> descriptors that hold it, as an open hash in typed arrays: 100,000 sockets take 3 MB and a few ms, and no
 * object is made before an owner is shown. Built anew after a scan: that is simpler than removing from it, and as fast.
 */
export class InodeIndex {
  private readonly mask: number;
  private readonly heads: Int32Array;
  private readonly inodes: Uint32Array;
  private readonly fds: Int32Array;
  /** Next entry with the same inode: workers share the listener of their master. */
  private readonly next: Int32Array;
  private readonly processOf: Uint32Array;
  private length = 0;

  constructor(private readonly processes: readonly ProcessFds[]) {
    const total = processes.reduce((sum, process) => sum + process.sockets, 0);
    this.mask = 2 ** Math.ceil(Math.log2(Math.max(16, total * 2))) - 1;
    this.heads = new Int32Array(this.mask + 1).fill(NONE);
    this.inodes = new Uint32Array(total);
    this.fds = new Int32Array(total);
    this.next = new Int32Array(total);
    this.processOf = new Uint32Array(total);
    for (const [index, process] of processes.entries()) this.addProcess(process, index);
  }

  private addProcess(process: ProcessFds, index: number): void {
    for (let at = 0; at < process.fds.length; at++) {
      const inode = process.inodes[at] ?? 0;
      if (inode === 0) continue;
      const slot = this.slotOf(inode);
      const entry = this.length++;
      this.inodes[entry] = inode;
      this.fds[entry] = process.fds[at] ?? 0;
      this.processOf[entry] = index;
      this.next[entry] = this.heads[slot] ?? NONE;
      this.heads[slot] = entry;
    }
  }

  /** The slot that holds the inode, or the free one where it belongs. */
  private slotOf(inode: number): number {
    let slot = (Math.imul(inode, HASH) >>> 7) & this.mask;
    for (;;) {
      const head = this.heads[slot] ?? NONE;
      if (head === NONE || this.inodes[head] === inode) return slot;
      slot = (slot + 1) & this.mask;
    }
  }

  has(inode: number): boolean {
    return this.heads[this.slotOf(inode)] !== NONE;
  }

  /** By pid and descriptor; empty where no process that was read holds it. */
  ownersOf(inode: number): Owner[] {
    const owners: Owner[] = [];
    for (
      let entry = this.heads[this.slotOf(inode)] ?? NONE;
      entry !== NONE;
      entry = this.next[entry] ?? NONE
    ) {
      const process = this.processes[this.processOf[entry] ?? 0];
      if (process?.name === undefined) continue;
      owners.push({ pid: process.pid, fd: this.fds[entry] ?? 0, name: process.name });
    }
    return owners.sort((a, b) => a.pid - b.pid || a.fd - b.fd);
  }
}
