import { ParseError } from '../../model/errors.js';
import type { Counters } from '../../model/observation.js';

/** Groups whose counters everybody knows by their own names; the others carry the name of the group. */
const BARE = new Set(['Tcp', 'TcpExt']);

/**
 * Reads /proc/net/netstat and /proc/net/snmp of one network namespace into one set of counters: those of Tcp and
 * TcpExt by their own names (`ListenOverflows`), others behind their group (`UdpRcvbufErrors`, `IpInReceives`).
 * An empty text has none. Throws ParseError where names and values do not match.
 */
export function parseCounters(netstat: string, snmp: string): Counters {
  const counters: Record<string, number> = Object.create(null);
  readGroups('/proc/net/netstat', netstat, counters);
  readGroups('/proc/net/snmp', snmp, counters);
  return counters;
}

/** Pairs of lines: `Group: name name ...`, then `Group: value value ...`. */
function readGroups(path: string, text: string, counters: Record<string, number>): void {
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index += 2) {
    const names = (lines[index] ?? '').trim().split(/\s+/);
    if (names[0] === '') {
      index--; // a blank line between groups or at the end
      continue;
    }
    const values = (lines[index + 1] ?? '').trim().split(/\s+/);
    const where = `${path} line ${index + 2}`;
    if (values[0] !== names[0])
      throw new ParseError(where, `the values of ${names[0]}`, lines[index + 1] ?? '');
    if (values.length !== names.length)
      throw new ParseError(where, `${names.length - 1} values`, `${values.length - 1} values`);
    addGroup(where, names, values, counters);
  }
}

function addGroup(
  where: string,
  names: readonly string[],
  values: readonly string[],
  counters: Record<string, number>,
): void {
  const group = (names[0] ?? '').replace(/:$/, '');
  const prefix = BARE.has(group) ? '' : group;
  for (let index = 1; index < names.length; index++) {
    const value = values[index] ?? '';
    if (!/^-?\d+$/.test(value)) throw new ParseError(where, `a number for ${names[index]}`, value);
    counters[`${prefix}${names[index]}`] = Number(value);
  }
}
