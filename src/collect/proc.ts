import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SourceError } from '../model/errors.js';
import type { Counters, Sysctls } from '../model/observation.js';
import { parseCounters } from '../parse/proc/counters.js';
import { parseProcNet } from '../parse/proc/net.js';
import { readNumber, readText } from './small-files.js';
import type { SsLook } from './ss.js';

/** Counters of the namespace that sockwatch runs in. */
export function readCounters(proc: string): Counters | undefined {
  const netstat = readText(join(proc, 'self/net/netstat'));
  const snmp = readText(join(proc, 'self/net/snmp'));
  return netstat === undefined && snmp === undefined ? undefined : parseCounters(netstat ?? '', snmp ?? '');
}

const SYSCTLS = {
  somaxconn: 'core/somaxconn',
  tcpMaxSynBacklog: 'ipv4/tcp_max_syn_backlog',
  tcpSyncookies: 'ipv4/tcp_syncookies',
  tcpAbortOnOverflow: 'ipv4/tcp_abort_on_overflow',
} as const satisfies Record<keyof Sysctls, string>;

/** Settings that bound the queues, each absent where it cannot be read. */
export function readSysctls(proc: string): Sysctls {
  const read = Object.entries(SYSCTLS).map(([name, path]) => [name, readNumber(join(proc, 'sys/net', path))]);
  return Object.fromEntries(read.filter(([, value]) => value !== undefined));
}

/** About how many sockets of TCP (and UDP) the namespace has, TIME-WAIT included: cheap, from sockstat. */
export function countSockets(proc: string): number | undefined {
  const text = `${readText(join(proc, 'self/net/sockstat')) ?? ''}${readText(join(proc, 'self/net/sockstat6')) ?? ''}`;
  const counts = [...text.matchAll(/^(?:TCP|UDP)6?: inuse (\d+)|\btw (\d+)/gm)];
  if (counts.length === 0) return undefined;
  return counts.reduce((sum, [, inUse, timeWait]) => sum + Number(inUse ?? timeWait), 0);
}

const NET_FILES = ['tcp', 'tcp6', 'udp', 'udp6', 'unix'] as const;

/** The tables of /proc/net: every socket, without limits of listeners, drops and ages. Throws `SourceError` without TCP. */
export async function readProcNet(proc: string, wanted: { udp: boolean; unix: boolean }): Promise<SsLook> {
  const names = NET_FILES.filter((name) =>
    name.startsWith('udp') ? wanted.udp : name !== 'unix' || wanted.unix,
  );
  const files: Partial<Record<(typeof NET_FILES)[number], Uint8Array>> = {};
  for (const name of names) {
    // tcp6 and udp6 are absent where IPv6 is off.
    const bytes = await readFile(join(proc, 'self/net', name)).catch(() => undefined);
    if (bytes !== undefined) files[name] = bytes;
  }
  if (files.tcp === undefined && files.tcp6 === undefined) {
    const path = join(proc, 'self/net/tcp');
    throw new SourceError(
      'permission',
      `${path} could not be read`,
      'mount procfs, or allow this user to read it',
    );
  }
  return parseProcNet(files);
}
