import type { Scope } from '../model/observation.js';
import { type OpenDiagSocket, openDiagSocket } from './netlink-socket.js';

/** How often to look. The screen changes it at any time; the loop reads it again and again. */
export interface Pace {
  intervalMs: number;
  paused?: boolean;
}

export const SOURCE_CHOICES = ['auto', 'netlink', 'ss', 'proc'] as const;
export type SourceChoice = (typeof SOURCE_CHOICES)[number];

export interface CollectOptions {
  /** `auto`: netlink; ss where the host has no sock_diag for us; and /proc/net where there is no ss. */
  readonly source: SourceChoice;
  readonly udp: boolean;
  readonly unix: boolean;
  /** What the caller wants to see: `troubled` for listeners with waiting connections, `all` for everything. */
  readonly scope: Scope;
  readonly owners: boolean;
  /** Owners of connections that come and go too, at the cost of more scans (`observeTimes`). Default false. */
  readonly thoroughOwners?: boolean;
  /** tcp_info of every connection (ages, round-trip times): more than doubles the work for a large table. Default true. */
  readonly details?: boolean;
  /** Numbers of the network stack too: TIME-WAIT, orphans, memory, range of ports. Default false. */
  readonly facts?: boolean;
  /** Numbers and settings of the network stack, at looks at all sockets. Default false. */
  readonly stack?: boolean;
  /** How often listeners are looked at between the looks, per second (`observe`, `observeTimes`); netlink only. Default 0: not at all. */
  readonly sampleHz?: number;
  /** For one run of ss, or one answer of the kernel. */
  readonly timeoutMs: number;
  /** Connections that ended between the looks too. Default false. */
  readonly closed?: boolean;
}

/** The value of `--netns` that means every one of them. */
export const ALL_NAMESPACES = 'all';

/** The same for other network namespaces. */
export interface NamespaceOptions extends CollectOptions {
  /** Names, pids and paths, or `all`. `undefined`: that of sockwatch. */
  readonly netns: readonly string[] | undefined;
}

/** Where the machine is entered: tests point these elsewhere. */
export interface Door {
  /** Directories to search for programs, as in PATH. */
  readonly path: string;
  /** Where procfs is mounted. */
  readonly proc: string;
  /** What is found below /run and /var: `/`. */
  readonly root: string;
  /** Where control groups are mounted. */
  readonly cgroups: string;
  readonly openDiagSocket: OpenDiagSocket;
}

// cron's PATH is /usr/bin:/bin, and old distributions keep ss in /usr/sbin or /sbin (OPS.md 2).
export const defaultDoor = (): Door => ({
  path: `${process.env.PATH ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`,
  proc: '/proc',
  root: '/',
  cgroups: '/sys/fs/cgroup',
  openDiagSocket,
});
