import { readFileSync } from 'node:fs';
import { DUMPS, parseClosed, parseDump } from '../../src/parse/netlink/index.js';
import { parseListeners } from '../../src/parse/netlink/listen-reader.js';
import { fixtureDir } from '../parse/golden.js';
import { recorded } from '../parse/netlink/support.js';
import { readable } from '../parse/readable.js';
import type { FuzzTarget } from './targets-parse.js';

/** What the kernel answers about sockets, each table on its own. */
const tables: readonly FuzzTarget[] = DUMPS.map((name) => ({
  name: `parse/netlink ${name}`,
  samples: () => [recorded(name)],
  run: (bytes: Uint8Array) => {
    JSON.stringify(readable(parseDump(bytes, name)));
  },
}));

/** What the kernel tells of sockets that end. */
const closed: FuzzTarget = {
  name: 'parse/netlink closed',
  samples: () => [new Uint8Array(readFileSync(`${fixtureDir}netlink/linux-6.18-closed.bin`))],
  run: (bytes) => {
    const { sockets, gaps } = parseClosed(bytes);
    JSON.stringify(readable({ sockets, gaps }));
  },
};

/** The same answers, read for samples. */
const samples: readonly FuzzTarget[] = (['tcp4', 'tcp6', 'unix'] as const).map((name) => ({
  name: `parse/netlink samples ${name}`,
  samples: () => [recorded(name)],
  run: (bytes) => {
    JSON.stringify(parseListeners(bytes, name, '1').book.take());
  },
}));

export const fuzzTargets: readonly FuzzTarget[] = [...tables, closed, ...samples];
