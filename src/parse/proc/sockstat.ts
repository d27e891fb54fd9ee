import type { HostFacts } from '../../model/host-facts.js';

/** Reads `/proc/net/sockstat`: `TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 85`. Total: what is not there stays unknown. */
export function parseSockstat(text: string): Pick<HostFacts, 'timeWait' | 'orphans' | 'memoryPages'> {
  const line = /^TCP:(.*)$/m.exec(text)?.[1] ?? '';
  const read = (name: string) => {
    const value = new RegExp(`\\b${name} (\\d+)`).exec(line)?.[1];
    return value === undefined ? undefined : Number(value);
  };
  const timeWait = read('tw');
  const orphans = read('orphan');
  const memoryPages = read('mem');
  return {
    ...(timeWait !== undefined && { timeWait }),
    ...(orphans !== undefined && { orphans }),
    ...(memoryPages !== undefined && { memoryPages }),
  };
}

/** How many ports of a range a list like `8080,9000-9010` takes (ip_local_reserved_ports). */
export function countReserved(list: string, [first, last]: readonly [number, number]): number {
  const reserved = new Set<number>();
  for (const part of list.trim().split(',')) {
    const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim()) ?? [];
    if (from === undefined) continue;
    const end = Math.min(Number(to), last);
    for (let port = Math.max(Number(from), first); port <= end; port++) reserved.add(port);
  }
  return reserved.size;
}

/** Whole numbers of a sysctl that holds several, as `32768 60999`. */
export const parseNumbers = (text: string): number[] =>
  text
    .trim()
    .split(/\s+/)
    .filter((word) => /^\d+$/.test(word))
    .map(Number);
