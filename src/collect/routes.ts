import { closeSync, openSync, readSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { RouteFacts } from '../model/routes.js';
import { parseRoutes, parseRoutes6, parseUnanswered } from '../parse/proc/routes.js';
import { readText } from './small-files.js';

/** Some 30,000 routes; whoever has more is a router, and what fits would be a part that cannot be judged. */
const MOST_BYTES = 4 << 20;

/** Routes of our own namespace and what is known of the devices; `undefined` where there is no procfs, or there are too many. */
export function readRoutes(proc: string): RouteFacts | undefined {
  const [main, six] = [readBounded(join(proc, 'net/route')), readBounded(join(proc, 'net/ipv6_route'))];
  if (main === undefined) return undefined;
  // libuv lists devices that are up and running (IFF_RUNNING: with a carrier), and only with their addresses.
  const devices = Object.entries(networkInterfaces());
  return {
    routes: [...parseRoutes(main), ...parseRoutes6(six ?? '')],
    running: new Set(devices.map(([name]) => name)),
    own: new Set(devices.flatMap(([, addresses]) => addresses?.map(({ address }) => address) ?? [])),
    unanswered: new Set(parseUnanswered(readText(join(proc, 'net/arp')) ?? '')),
  };
}

function readBounded(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const bytes = Buffer.alloc(MOST_BYTES);
    let length = 0;
    for (let read = 1; read > 0 && length < bytes.length; length += read)
      read = readSync(file, bytes, length, bytes.length - length, null);
    return length === bytes.length ? undefined : bytes.toString('latin1', 0, length);
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}
