import type { HostFacts } from '../model/host-facts.js';
import { countReserved, parseNumbers, parseSockstat } from '../parse/proc/sockstat.js';
import { type ProcPlace, readerOf } from './proc.js';
import { asNumber } from './small-files.js';

const setting = (name: string) => `sys/net/ipv4/${name}`;

/** What `readHostFacts` reads. */
export const FACT_FILES: readonly string[] = [
  'net/sockstat',
  ...[
    'tcp_max_tw_buckets',
    'tcp_max_orphans',
    'tcp_mem',
    'ip_local_port_range',
    'ip_local_reserved_ports',
  ].map(setting),
];

/** What /proc/net/sockstat and the settings beside it say of one namespace and of the host. */
export function readHostFacts(place: ProcPlace): HostFacts {
  const read = readerOf(place);
  const maxTimeWait = asNumber(read(setting('tcp_max_tw_buckets')));
  const maxOrphans = asNumber(read(setting('tcp_max_orphans')));
  const [low, pressure, high] = parseNumbers(read(setting('tcp_mem')) ?? '');
  const [first, last] = parseNumbers(read(setting('ip_local_port_range')) ?? '');
  const range = first === undefined || last === undefined ? undefined : ([first, last] as const);
  return {
    ...parseSockstat(read('net/sockstat') ?? ''),
    ...(maxTimeWait !== undefined && { maxTimeWait }),
    ...(maxOrphans !== undefined && { maxOrphans }),
    ...(low !== undefined &&
      pressure !== undefined &&
      high !== undefined && { memoryLimits: [low, pressure, high] }),
    ...(range && {
      portRange: range,
      reservedPorts: countReserved(read(setting('ip_local_reserved_ports')) ?? '', range),
    }),
  };
}
