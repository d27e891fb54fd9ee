import type { Endpoint } from '../../model/endpoint.js';
import { ParseError } from '../../model/errors.js';
import { formatIp, parseIp } from '../../model/ip.js';
import type { Listener, ListenerReport } from '../../model/listener.js';
import type { SocketRow } from '../../model/socket-row.js';

/** Where a listener may be: any part may be left open. */
export interface Place {
  /** As the user wrote it. */
  readonly text: string;
  readonly address?: string;
  readonly port?: number;
  readonly unixPath?: string;
  /** Name of a process that must hold it. */
  readonly process?: string;
}

/** Which listeners a check is about; no places: all. */
export interface Selection {
  readonly places: readonly Place[];
  readonly filter?: { matchesListener(report: ListenerReport): boolean } | undefined;
}

/**
 * Reads `443`, `127.0.0.1:443`, `[::1]:443`, `*:443` or `unix:/run/x.sock`, with `=NAME` behind it where a process is meant.
 * @throws ParseError that names `where`
 */
export function parsePlace(text: string, where: string, { withProcess = false } = {}): Place {
  const equals = withProcess ? text.lastIndexOf('=') : -1;
  const process = equals > 0 ? text.slice(equals + 1) : undefined;
  const place = equals > 0 ? text.slice(0, equals) : text;
  if (process === '') throw new ParseError(where, 'a process name after =', text);
  const rest = { text, ...(process !== undefined && { process }) };
  if (place.startsWith('unix:') || place.startsWith('/') || place.startsWith('@')) {
    const unixPath = place.replace(/^unix:/, '');
    if (unixPath === '') throw new ParseError(where, 'the path of a Unix socket', text);
    return { ...rest, unixPath };
  }
  const [, host, portText = ''] = /^(?:(.*):)?(\d{1,5})$/.exec(place) ?? [];
  const port = Number(portText);
  if (portText === '' || port < 1 || port > 65_535)
    throw new ParseError(where, 'PORT, ADDRESS:PORT or unix:PATH', text);
  if (host === undefined || host === '*') return { ...rest, port };
  const address = parseIp(host.replace(/^\[(.*)\]$/, '$1'));
  if (address === undefined) throw new ParseError(where, 'an IP address before the port', text);
  return { ...rest, port, address: formatIp(address) };
}

export const isSelected = ({ places, filter }: Selection, report: ListenerReport): boolean =>
  (places.length === 0 || places.some((place) => isAt(place, report.listener.local))) &&
  (filter === undefined || filter.matchesListener(report));

/** Rows of connections that belong to the places, at either end, and that the filter lets through; undefined: all. */
export function rowsAt(
  places: readonly Place[],
  filter: { matchesRow(row: SocketRow): boolean } | undefined,
): { matchesRow(row: SocketRow): boolean } | undefined {
  if (places.length === 0) return filter;
  const isEnd = (end: Endpoint | undefined) => end !== undefined && places.some((place) => isAt(place, end));
  return {
    matchesRow: (row) =>
      isNear(places, row) &&
      (isEnd(row.local) || isEnd(row.remote)) &&
      (filter === undefined || filter.matchesRow(row)),
  };
}

/** By the ports alone, before any address becomes an object. */
function isNear(places: readonly Place[], { table, index }: SocketRow): boolean {
  const local = table.localPort[index];
  const remote = table.remotePort[index];
  return places.some(({ port }) => port === local || port === remote);
}

export function isAt({ address, port, unixPath }: Place, local: Endpoint): boolean {
  if (local.kind === 'unix') return unixPath !== undefined && local.path === unixPath;
  if (unixPath !== undefined || local.port !== port) return false;
  return address === undefined || formatIp(local.address) === address;
}

/** `undefined`: the owners are not known. */
export function isHeldBy({ owners }: Listener, process: string | undefined): boolean | undefined {
  if (process === undefined) return true;
  return owners?.some(({ name }) => name === process);
}
