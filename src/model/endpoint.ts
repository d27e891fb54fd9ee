import { formatIp, type IpAddress, isLoopback } from './ip.js';

/** One end of a socket. A variant per situation, so that a Unix path has no port and an IPv4 host no zone. */
export type Endpoint =
  | {
      readonly kind: 'ip';
      readonly address: IpAddress;
      /** Absent: any port, or a port printed as a name that no table resolves (`portName`). */
      readonly port?: number;
      readonly portName?: string;
      /** IPv6 zone, or the device that the socket is bound to. */
      readonly device?: string;
      /** An IPv6 wildcard listener that takes IPv4 too: shown as `[::]`. */
      readonly dualStack?: boolean;
    }
  | { readonly kind: 'unix'; readonly path: string; readonly hex?: string };

/** `host:port`, `[v6]:port`, `[fe80::1%eth0]:22`, `127.0.0.53%lo:53`, `*` for no port; a Unix path or `@name`. */
export function formatEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return endpoint.path;
  return `${formatHost(endpoint)}:${endpoint.port ?? endpoint.portName ?? '*'}`;
}

export function formatHost(endpoint: Extract<Endpoint, { kind: 'ip' }>): string {
  const host = formatIp(endpoint.address);
  const device = endpoint.device === undefined ? '' : `%${endpoint.device}`;
  return endpoint.address.family === 6 ? `[${host}${device}]` : `${host}${device}`;
}

/** The host alone, without brackets: `10.0.0.5`, `fe80::1%eth0`. */
export const bareHost = (endpoint: Extract<Endpoint, { kind: 'ip' }>): string =>
  formatIp(endpoint.address) + (endpoint.device === undefined ? '' : `%${endpoint.device}`);

export const isWildcard = (endpoint: Extract<Endpoint, { kind: 'ip' }>): boolean =>
  endpoint.address.words.every((word) => word === 0);

/** Another host in each network namespace: loopback and link-local addresses (127.0.0.0/8, ::1, 169.254.0.0/16, fe80::/10), and paths. */
export function isOfNamespace(end: Endpoint): boolean {
  if (end.kind !== 'ip') return true;
  const { family, words } = end.address;
  const [first = 0, , , last = 0] = words;
  return isLoopback(end.address) || (family === 4 ? last >>> 16 === 0xa9fe : first >>> 22 === 0x3fa);
}
