import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SOCKET_STATES, type SocketState } from '../model/sockets.js';
import type { SocketTable } from '../model/table.js';
import {
  DUMP_TITLES,
  type Dump,
  type DumpName,
  type DumpResult,
  STATE_BITS,
} from '../parse/netlink/index.js';
import { parseProcNet } from '../parse/proc/net.js';
import { copyRows } from './copy-rows.js';

/** What /proc/net has where a module of sock_diag is missing, and what it lacks. */
const FILES = {
  udp4: ['udp', 'no memory'],
  udp6: ['udp6', 'no memory'],
  unix: ['unix', 'no queues and no limits'],
} as const satisfies Partial<Record<DumpName, readonly [string, string]>>;
type Unlisted = keyof typeof FILES;

const isUnlisted = (name: DumpName): name is Unlisted => name in FILES;

/** Only these states of UDP and Unix sockets are ever asked for apart. */
const STATES: readonly (readonly [SocketState, number])[] = [
  ['listen', STATE_BITS.listen],
  ['established', STATE_BITS.established],
  ['unconnected', STATE_BITS.close],
];

/** Adds from /proc/net the sockets of families that the kernel cannot list through sock_diag, as ss does; the gap says so. */
export async function addUnlisted(
  look: DumpResult,
  dumps: readonly Dump[],
  unlisted: readonly DumpName[],
  proc: string,
): Promise<DumpResult> {
  let { gaps } = look;
  for (const name of unlisted.filter(isUnlisted)) {
    const [file, lack] = FILES[name];
    const bytes = await readFile(join(proc, 'self/net', file)).catch(() => undefined);
    const states = dumps.find((dump) => dump.name === name)?.states ?? 0;
    if (bytes === undefined || !addRows(look.sockets, file, bytes, states)) continue;
    gaps = gaps.map((gap) =>
      gap.what === DUMP_TITLES[name]
        ? { ...gap, why: `${gap.why}; read from /proc/net, which has ${lack}` }
        : gap,
    );
  }
  return { sockets: look.sockets, gaps };
}

/** False: it is no such file. */
function addRows(to: SocketTable, file: 'udp' | 'udp6' | 'unix', bytes: Uint8Array, states: number): boolean {
  try {
    const { sockets } = parseProcNet({ [file]: bytes });
    const wanted = new Set(
      STATES.filter(([, bit]) => (states & bit) !== 0).map(([state]) => SOCKET_STATES.indexOf(state)),
    );
    const isAll = states === STATE_BITS.all;
    copyRows(sockets, to, (row) => isAll || wanted.has(sockets.state[row] ?? 0));
    return true;
  } catch {
    return false;
  }
}
