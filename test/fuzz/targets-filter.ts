import { parseFilter } from '../../src/analyze/filter.js';
import { selectRows } from '../../src/analyze/sort.js';
import { buildTable, listen } from '../support/table-builder.js';

const FILTERS = [
  'port:443 state:established process:nginx remote:10.0.0.0/8 recvq>0 -state:time-wait /regex/',
  'lport:80,443,8000-8099 -rport:53 pid:812 uid:0 inode:81234',
  'local:fe80::/10 remote:[::1] rtt>50 wait>=1.5s waiting:yes proto:tcp,udp',
  'verdict:full,overflow fill>50% sendq<=100 "two words" -"a \\" b"',
  '/^tcp.*nginx\\/(8|9)[0-9]{2}$/ -/time-?wait/ 10.0.0.1:443 ::ffff:10.0.0.0/104',
];

const table = buildTable([
  listen('0.0.0.0:443', [3, 128], { inode: 7, uid: 0 }),
  { local: '10.0.0.1:443', remote: '10.0.0.9:40112', owners: [{ pid: 812, fd: 6, name: 'nginx' }] },
  { local: '[fe80::1]%eth0:22', remote: '[fe80::2]%eth0:5022', columns: { inode: 0, lastSentMs: 1500 } },
  { protocol: 'udp', state: 'unconnected', local: '127.0.0.1:53', queues: null },
  { protocol: 'unix', local: `/run/${'a'.repeat(90)}`, remote: '' },
]);

/** Any text is read or refused with ParseError, and what was read answers for every row. */
export const fuzzTargets: { name: string; samples: () => Uint8Array[]; run(bytes: Uint8Array): void }[] = [
  {
    name: 'filter',
    samples: () => FILTERS.map((text) => new TextEncoder().encode(text)),
    run: (bytes) => {
      selectRows(table, parseFilter(new TextDecoder().decode(bytes)));
    },
  },
];
