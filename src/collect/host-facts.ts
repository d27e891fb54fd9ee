import { join } from 'node:path';
import type { HostFacts } from '../model/host-facts.js';
import { countReserved, parseNumbers, parseSockstat } from '../parse/proc/sockstat.js';
import { readNumber, readText } from './small-files.js';

/** What /proc/net/sockstat and the settings beside it say of the namespace and the host. */
export function readHostFacts(proc: string): HostFacts {
  const setting = (name: string) => join(proc, 'sys/net/ipv4', name);
  const maxTimeWait = readNumber(setting('tcp_max_tw_buckets'));
  const maxOrphans = readNumber(setting('tcp_max_orphans'));
  const [low, pressure, high] = parseNumbers(readText(setting('tcp_mem')) ?? '');
  const [first, last] = parseNumbers(readText(setting('ip_local_port_range')) ?? '');
  const range = first === undefined || last === undefined ? undefined : ([first, last] as const);
  return {
    ...parseSockstat(readText(join(proc, 'self/net/sockstat')) ?? ''),
    ...(maxTimeWait !== undefined && { maxTimeWait }),
    ...(maxOrphans !== undefined && { maxOrphans }),
    ...(low !== undefined &&
      pressure !== undefined &&
      high !== undefined && { memoryLimits: [low, pressure, high] }),
    ...(range && {
      portRange: range,
      reservedPorts: countReserved(readText(setting('ip_local_reserved_ports')) ?? '', range),
    }),
  };
}
