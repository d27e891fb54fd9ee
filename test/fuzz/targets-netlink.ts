import { readFileSync } from 'node:fs';
import { DUMPS, DumpParser, parseClosed, parseDump, wireOf } from '../../src/parse/netlink/index.js';
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

/** The same bytes as buffers of any size, of which the first bytes tell: messages may be cut anywhere, and asked for again. */
const inParts: readonly FuzzTarget[] = DUMPS.map((name) => ({
  name: `parse/netlink ${name} in parts`,
  samples: () => [recorded(name)],
  run: (bytes) => {
    const parser = new DumpParser({ expectedRows: 8 });
    parser.begin(
      name,
      bytes.length < 12 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true),
    );
    const [seed = 1] = bytes;
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = 1 + ((seed * 977 + turn * 331) % 5000);
      const part = bytes.slice(at, at + size);
      parser.read(wireOf(part), part.length);
      at += size;
    }
    if ((seed & 1) !== 0) parser.restart(7);
    const { sockets, gaps } = parser.end();
    if ((seed & 1) !== 0 && sockets.length > 0)
      throw new Error('rows of a dump that was asked for again are left');
    JSON.stringify(readable({ sockets, gaps }));
  },
}));

export const fuzzTargets: readonly FuzzTarget[] = [...tables, closed, ...samples, ...inParts];
