import { formatIp, type IpAddress, parseIp } from '../../model/ip.js';
import type { Route } from '../../model/routes.js';

const RTF = { up: 0x1, gateway: 0x2, reject: 0x200 } as const;
/** Of the entry that stands for "no route" at the end of the table of IPv6. */
const NO_METRIC = 0xffffffff;

/**
 * Of /proc/net/route, the main table: `eth0 00000000 0100000A 0003 0 0 100 00000000 ...`. Addresses are words as the processor has them: little-endian on all
 * that matter. A blackhole has `*` for its device and no other mark [measured]. Lines that are none are left out.
 */
export const parseRoutes = (text: string): Route[] =>
  text.split('\n').flatMap((line): Route[] => {
    const [device = '', to = '', gateway = '', flagText = '', , , metric = '', mask = ''] = line.split(/\s+/);
    if (![to, gateway, mask].every((word) => /^[0-9A-F]{8}$/i.test(word))) return [];
    const flags = Number.parseInt(flagText, 16);
    if (Number.isNaN(flags) || (flags & RTF.up) === 0) return [];
    const kind = (flags & RTF.reject) !== 0 ? 'rejected' : device === '*' ? 'blackhole' : 'via';
    return [
      {
        kind,
        to: ipv4(to),
        bits: bitsOf(mask),
        device,
        ...((flags & RTF.gateway) !== 0 && { gateway: ipv4(gateway) }),
        metric: Number(metric) || 0,
      },
    ];
  });

/** Of /proc/net/ipv6_route: all tables. Lines that are none are left out. */
export const parseRoutes6 = (text: string): Route[] =>
  text.split('\n').flatMap((line): Route[] => {
    const [to = '', bits = '', , , gateway = '', metric = '', , , flagText = '', device = ''] =
      line.split(/\s+/);
    if (!/^[0-9a-f]{32}$/i.test(to) || !/^[0-9a-f]{32}$/i.test(gateway)) return [];
    const flags = Number.parseInt(flagText, 16);
    const rank = Number.parseInt(metric, 16);
    const [end, next] = [ipv6(to), ipv6(gateway)];
    if (Number.isNaN(flags) || Number.isNaN(rank) || rank === NO_METRIC) return [];
    if (end === undefined || next === undefined) return [];
    return [
      {
        kind: (flags & RTF.reject) !== 0 ? 'rejected' : 'via',
        to: end,
        bits: Number.parseInt(bits, 16),
        device,
        ...((flags & RTF.gateway) !== 0 && { gateway: next }),
        metric: rank,
      },
    ];
  });

/** Of /proc/net/arp: addresses whose entry is not complete (flags 0x0): they were asked for and have not answered. */
export const parseUnanswered = (text: string): string[] =>
  text.split('\n').flatMap((line) => {
    const [, address = ''] = /^(\d[\d.]*)\s+0x[0-9a-f]+\s+0x0\s/i.exec(line) ?? [];
    const parsed = parseIp(address);
    return parsed === undefined ? [] : [formatIp(parsed)];
  });

/** `0100000A` is 10.0.0.1. */
function ipv4(hex: string): IpAddress {
  const word = Number.parseInt(hex, 16);
  const swapped =
    ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | ((word >>> 24) & 0xff);
  return { family: 4, words: [0, 0, 0, swapped >>> 0] };
}

const ipv6 = (hex: string): IpAddress | undefined => parseIp(hex.replace(/.{4}(?!$)/g, '$&:'));

function bitsOf(mask: string): number {
  let bits = 0;
  for (let word = Number.parseInt(mask, 16); word !== 0; word >>>= 1) bits += word & 1;
  return bits;
}
