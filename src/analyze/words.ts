import { formatEndpoint } from '../model/endpoint.js';
import type { Listener } from '../model/listener.js';
import type { Owner } from '../model/sockets.js';

/** `84,213` */
export const count = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');

/** `1 connection`, `84,213 connections` */
export const counted = (value: number, noun: string): string =>
  `${count(value)} ${noun}${Math.round(value) === 1 ? '' : 's'}`;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `12 ms`, `4.1 s`, `119 s`, `2.1 min`, `99 min`, `17.4 h`, `3.2 d` */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 119_500) return `${count(ms / 1000)} s`;
  if (ms < 9.95 * MINUTE) return `${(ms / MINUTE).toFixed(1)} min`;
  if (ms < 2 * HOUR) return `${count(ms / MINUTE)} min`;
  return ms < 2 * DAY ? `${(ms / HOUR).toFixed(1)} h` : `${(ms / DAY).toFixed(1)} d`;
}

/** `77%`, never rounded up: 100% means all of it. */
export const percent = (share: number): string => `${Math.floor(share * 100 + 1e-9)}%`;

/** `nginx/812`, `nginx/812 and 3 more`; "its process" where it is unknown. Raw: renderers clean it. */
export function ownerText(owners: readonly Owner[] | undefined): string {
  const byPid = new Map((owners ?? []).map((owner) => [owner.pid, owner]));
  const [first] = [...byPid.values()].sort((a, b) => a.pid - b.pid);
  if (first === undefined) return 'its process';
  return `${first.name}/${first.pid}${byPid.size > 1 ? ` and ${byPid.size - 1} more` : ''}`;
}

/** Whether a verb behind `ownerText` is that of several. */
export const areSeveral = (owners: readonly Owner[] | undefined): boolean =>
  new Set(owners?.map(({ pid }) => pid)).size > 1;

/** `0.0.0.0:443 (nginx/812)`, the owner only where it is known. */
export function listenerText({ local, owners }: Listener): string {
  const name = formatEndpoint(local);
  return owners === undefined || owners.length === 0 ? name : `${name} (${ownerText(owners)})`;
}

/** `a, b and 2 more` */
export function listed(names: readonly string[], most = 3): string {
  const rest = names.length - most;
  return rest > 0 ? `${names.slice(0, most).join(', ')} and ${rest} more` : names.join(', ');
}
