import { DUMPS, parseDump } from '../../src/parse/netlink/index.js';
import { parseListeners } from '../../src/parse/netlink/listen-reader.js';
import { recorded } from '../parse/netlink/support.js';
import { readable } from '../parse/readable.js';
import type { FuzzTarget } from './targets-parse.js';

/** What the kernel answers about sockets, each table on its own. */
const tables: readonly FuzzTarget[] = DUMPS.map((name) => ({
  name: `parse/netlink ${name}`,
  samples: () => [recorded(name)],
  run: (bytes) => {
    JSON.stringify(readable(parseDump(bytes, name)));
  },
}));

/** The same answers, read for samples. */
const samples: readonly FuzzTarget[] = (['tcp4', 'tcp6', 'unix'] as const).map((name) => ({
  name: `parse/netlink samples ${name}`,
  samples: () => [recorded(name)],
  run: (bytes) => {
    JSON.stringify(parseListeners(bytes, name, '1').book.take());
  },
}));

export const fuzzTargets: readonly FuzzTarget[] = [...tables, ...samples];
