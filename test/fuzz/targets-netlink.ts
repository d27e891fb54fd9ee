import { DUMPS, parseDump } from '../../src/parse/netlink/index.js';
import { recorded } from '../parse/netlink/support.js';
import { readable } from '../parse/readable.js';
import type { FuzzTarget } from './targets-parse.js';

/** What the kernel answers about sockets, each table on its own. */
export const fuzzTargets: readonly FuzzTarget[] = DUMPS.map((name) => ({
  name: `parse/netlink ${name}`,
  samples: () => [recorded(name)],
  run: (bytes) => {
    JSON.stringify(readable(parseDump(bytes, name)));
  },
}));
