import { observeOnce } from '../../src/collect/observe.js';
import type { CollectOptions } from '../../src/collect/options.js';

/** Run in a namespace of a test: one look, with the options of the first argument, as one line of JSON. */
const options = JSON.parse(process.argv[2] ?? '{}') as CollectOptions;
const { origin, scope, sockets, counters, descriptors, gaps } = await observeOnce(options);
const rows = Array.from({ length: sockets.length }, (_, index) => {
  const row = sockets.row(index);
  const local = row.local;
  return {
    protocol: row.protocol,
    state: row.state,
    port: local.kind === 'ip' ? local.port : undefined,
    path: local.kind === 'unix' ? local.path : undefined,
    queues: row.queues,
    inode: row.inode,
    owners: row.owners,
    isWaiting: row.isWaiting,
  };
});
process.stdout.write(
  JSON.stringify({ origin, scope, rows, counters, descriptors: [...(descriptors ?? [])], gaps }),
);
