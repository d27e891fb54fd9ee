import { join } from 'node:path';
import type { Settings, StackFacts } from '../model/stack-facts.js';
import { parseSoftnetDrops } from '../parse/proc/softnet.js';
import { readHostFacts } from './host-facts.js';
import { readNumber, readText } from './small-files.js';

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

/** What /proc says of the network stack now. */
export function readStackFacts(proc: string): StackFacts {
  const count = readNumber(join(proc, 'sys/net/netfilter/nf_conntrack_count'));
  const max = readNumber(join(proc, 'sys/net/netfilter/nf_conntrack_max'));
  const softnetDropped = parseSoftnetDrops(readText(join(proc, 'net/softnet_stat')) ?? '');
  return {
    ...readHostFacts(proc),
    settings: readSettings(proc),
    ...(count !== undefined && max !== undefined && { conntrack: { count, max } }),
    ...(softnetDropped !== undefined && { softnetDropped }),
  };
}

function readSettings(proc: string): Settings {
  const read = SETTINGS.map(
    (name) => [name, readText(join(proc, 'sys', name.replaceAll('.', '/')))] as const,
  );
  return Object.fromEntries(
    read.flatMap(([name, text]) => (text === undefined ? [] : [[name, text.trim().replace(/\s+/g, ' ')]])),
  );
}
