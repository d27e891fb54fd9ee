import { observeOnce } from '../../src/collect/observe.js';
import type { SourceChoice } from '../../src/collect/options.js';
import { socketInodes } from '../../src/collect/process-fds.js';
import { readableRow } from '../parse/readable.js';

/** Run in a namespace of a test: one look at everything from each source of the arguments, as one line of JSON. */
const looks = [];
for (const source of process.argv.slice(2) as SourceChoice[]) {
  // The loader of TypeScript may have sockets of its own for a moment.
  const before = socketInodes('/proc', 'self');
  const options = { source, udp: true, unix: true, scope: 'all', owners: false, timeoutMs: 10_000 } as const;
  const { origin, sockets, gaps } = await observeOnce(options);
  const own = new Set([...before, ...socketInodes('/proc', 'self')]);
  const rows = Array.from({ length: sockets.length }, (_, index) => sockets.row(index)).filter(
    (row) => !own.has(row.number('inode') ?? 0) && !own.has(row.number('peerInode') ?? 0),
  );
  looks.push({ source: origin.source, rows: rows.map(readableRow), gaps });
}
process.stdout.write(JSON.stringify(looks));
