import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SourceError } from '../model/errors.js';
import type { Counters, Sysctls } from '../model/observation.js';
import { parseCounters } from '../parse/proc/counters.js';
import { parseProcNet } from '../parse/proc/net.js';
import { asNumber, readText } from './small-files.js';
import type { SsLook } from './ss.js';

/** Text of a file of procfs as it is in one network namespace: `net/netstat`, `sys/net/core/somaxconn`. */
export type ReadProc = (file: string) => string | undefined;

/** Of the namespace that sockwatch runs in. */
export const ownProc =
  (proc: string): ReadProc =>
  (file) =>
    readText(join(proc, file.startsWith('net/') ? 'self' : '', file));

/** Procfs as it is for us, by where it is mounted, or as it is in another namespace. */
export type ProcPlace = string | ReadProc;

export const readerOf = (place: ProcPlace): ReadProc => (typeof place === 'string' ? ownProc(place) : place);

/** Of texts that were read elsewhere. */
export const readProcOf =
  (texts: Readonly<Record<string, string>>): ReadProc =>
  (file) =>
    texts[file];

/** Counters of one namespace. */
export function readCounters(place: ProcPlace): Counters | undefined {
  const read = readerOf(place);
  const netstat = read('net/netstat');
  const snmp = read('net/snmp');
  return netstat === undefined && snmp === undefined ? undefined : parseCounters(netstat ?? '', snmp ?? '');
}

const SYSCTLS = {
  somaxconn: 'core/somaxconn',
  tcpMaxSynBacklog: 'ipv4/tcp_max_syn_backlog',
  tcpSyncookies: 'ipv4/tcp_syncookies',
  tcpAbortOnOverflow: 'ipv4/tcp_abort_on_overflow',
} as const satisfies Record<keyof Sysctls, string>;

/** What `readCounters`, `readSysctls` and `countSockets` read. */
export const LOOK_FILES: readonly string[] = [
  'net/netstat',
  'net/snmp',
  'net/sockstat',
  'net/sockstat6',
  ...Object.values(SYSCTLS).map((path) => `sys/net/${path}`),
];

/** Settings that bound the queues, each absent where it cannot be read. */
export function readSysctls(place: ProcPlace): Sysctls {
  const read = readerOf(place);
  const values = Object.entries(SYSCTLS).map(([name, path]) => [name, asNumber(read(`sys/net/${path}`))]);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

/** About how many sockets of TCP (and UDP) the namespace has, TIME-WAIT included: cheap, from sockstat. */
export function countSockets(place: ProcPlace): number | undefined {
  const read = readerOf(place);
  const text = `${read('net/sockstat') ?? ''}${read('net/sockstat6') ?? ''}`;
  const counts = [...text.matchAll(/^(?:TCP|UDP)6?: inuse (\d+)|\btw (\d+)/gm)];
  if (counts.length === 0) return undefined;
  return counts.reduce((sum, [, inUse, timeWait]) => sum + Number(inUse ?? timeWait), 0);
}

const NET_FILES = ['tcp', 'tcp6', 'udp', 'udp6', 'unix'] as const;

/**
 * The tables of /proc/net: every socket, without limits of listeners, drops and ages. Throws `SourceError` without TCP.
 * @param process whose network namespace: a pid, else our own
 */
export async function readProcNet(
  proc: string,
  wanted: { udp: boolean; unix: boolean },
  process: number | 'self' = 'self',
): Promise<SsLook> {
  const names = NET_FILES.filter((name) =>
    name.startsWith('udp') ? wanted.udp : name !== 'unix' || wanted.unix,
  );
  const files: Partial<Record<(typeof NET_FILES)[number], Uint8Array>> = {};
  for (const name of names) {
    // tcp6 and udp6 are absent where IPv6 is off.
    const bytes = await readFile(join(proc, `${process}/net`, name)).catch(() => undefined);
    if (bytes !== undefined) files[name] = bytes;
  }
  if (files.tcp === undefined && files.tcp6 === undefined) {
    const path = join(proc, `${process}/net/tcp`);
    throw new SourceError(
      'permission',
      `${path} could not be read`,
      'mount procfs, or allow this user to read it',
    );
  }
  return parseProcNet(files);
}
