import type { Settings, StackFacts } from '../model/stack-facts.js';
import { parseSoftnetDrops } from '../parse/proc/softnet.js';
import { FACT_FILES, readHostFacts } from './host-facts.js';
import { type ProcPlace, type ReadProc, readerOf } from './proc.js';
import { asNumber } from './small-files.js';

/** Settings that findings may name. Those of net.ipv4 hold for IPv6 too, and are of this namespace (tcp_mem and tcp_max_orphans: of the host). */
const SETTINGS = [
  'net.core.somaxconn',
  'net.core.netdev_max_backlog',
  'net.core.rmem_max',
  'net.core.wmem_max',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_abort_on_overflow',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_max_orphans',
  'net.ipv4.tcp_max_syn_backlog',
  'net.ipv4.tcp_max_tw_buckets',
  'net.ipv4.tcp_mem',
  'net.ipv4.tcp_retries2',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syn_linear_timeouts',
  'net.ipv4.tcp_syn_retries',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_timestamps',
  'net.ipv4.tcp_tw_reuse',
  'net.ipv4.tcp_wmem',
  'net.netfilter.nf_conntrack_max',
] as const;

const fileOf = (setting: string) => `sys/${setting.replaceAll('.', '/')}`;
const CONNTRACK = 'sys/net/netfilter/nf_conntrack_count';
const SOFTNET = 'net/softnet_stat';

/** What `readStackFacts` reads. */
export const STACK_FILES: readonly string[] = [...FACT_FILES, ...SETTINGS.map(fileOf), CONNTRACK, SOFTNET];

/** What /proc says of the network stack now. */
export function readStackFacts(place: ProcPlace): StackFacts {
  const read = readerOf(place);
  const count = asNumber(read(CONNTRACK));
  const max = asNumber(read(fileOf('net.netfilter.nf_conntrack_max')));
  const softnetDropped = parseSoftnetDrops(read(SOFTNET) ?? '');
  return {
    ...readHostFacts(read),
    settings: readSettings(read),
    ...(count !== undefined && max !== undefined && { conntrack: { count, max } }),
    ...(softnetDropped !== undefined && { softnetDropped }),
  };
}

function readSettings(read: ReadProc): Settings {
  const texts = SETTINGS.map((name) => [name, read(fileOf(name))] as const);
  return Object.fromEntries(
    texts.flatMap(([name, text]) => (text === undefined ? [] : [[name, text.trim().replace(/\s+/g, ' ')]])),
  );
}
