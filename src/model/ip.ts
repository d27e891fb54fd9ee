/** IP addresses as four 32-bit words, the form of the socket table: IPv4 in the last word, as in a v4-mapped IPv6 address. */
export type IpWords = readonly [number, number, number, number];

export type IpFamily = 4 | 6;

export interface IpAddress {
  readonly family: IpFamily;
  readonly words: IpWords;
}

const MAPPED = 0xffff;

export const formatIpv4 = (word: number): string =>
  `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;

/** Text of an IPv6 address as RFC 5952 wants it: lower case, the longest run of zero groups (two or more) as `::`. */
export function formatIpv6(words: IpWords): string {
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  const run = longestZeroRun(groups);
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  if (run.length < 2) return text(groups);
  return `${text(groups.slice(0, run.start))}::${text(groups.slice(run.start + run.length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
    start = Math.max(start, end - 1);
  }
  return best;
}

export const formatIp = ({ family, words }: IpAddress): string =>
  family === 4 ? formatIpv4(words[3]) : formatIpv6(words);

/** Reads IPv4 or IPv6 text (no zone, no brackets); v4-mapped becomes IPv4. `undefined` where it is neither. */
export function parseIp(text: string): IpAddress | undefined {
  if (!text.includes(':')) {
    const word = parseIpv4(text);
    return word === undefined ? undefined : { family: 4, words: [0, 0, 0, word] };
  }
  const words = parseIpv6(text);
  if (words === undefined) return undefined;
  const mapped = words[0] === 0 && words[1] === 0 && words[2] === MAPPED;
  return mapped ? { family: 4, words: [0, 0, 0, words[3]] } : { family: 6, words };
}

function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let word = 0;
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    word = (word << 8) | Number(part);
  }
  return word >>> 0;
}

function parseIpv6(text: string): IpWords | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = parseGroups(halves[1] ?? '', true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<number>(halves.length === 1 ? 0 : missing).fill(0), ...tail];
  const word = (index: number) => (((groups[index * 2] ?? 0) << 16) | (groups[index * 2 + 1] ?? 0)) >>> 0;
  return [word(0), word(1), word(2), word(3)];
}

/** `last`: these groups end the address, so the last of them may be dotted. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const word = last && index === parts.length - 1 ? parseIpv4(part) : undefined;
      if (word === undefined) return undefined;
      groups.push(word >>> 16, word & 0xffff);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** 127.0.0.0/8 and ::1. */
export const isLoopback = ({ family, words: [first, second, third, last] }: IpAddress): boolean =>
  family === 4 ? last >>> 24 === 127 : first === 0 && second === 0 && third === 0 && last === 1;
