import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ParseError } from '../../src/model/errors.js';
import { parseHikari } from '../../src/parse/hikari.js';
import { parseCounters } from '../../src/parse/proc/counters.js';
import { parseProcNet } from '../../src/parse/proc/net.js';
import { parseServices } from '../../src/parse/proc/services.js';
import { parseSs, SsParser, type SsResult } from '../../src/parse/ss/index.js';

export interface FuzzTarget {
  readonly name: string;
  /** Inputs to begin with. */
  samples(): Uint8Array[];
  /** Fails by throwing. */
  run(bytes: Uint8Array): void;
}

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const filesOf = (folder: string, pattern: RegExp) => () =>
  readdirSync(`${fixtures}${folder}`)
    .filter((file) => pattern.test(file))
    .map((file) => new Uint8Array(readFileSync(`${fixtures}${folder}/${file}`)));

/** ParseError is an answer, everything else a fault. */
function attempt<Result>(parse: () => Result): Result | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

/** Every getter of every row must hold for whatever was parsed. */
function walk(result: SsResult | undefined): string {
  if (result === undefined) return 'no ss output';
  const { sockets, gaps } = result;
  const row = sockets.cursor();
  let text = JSON.stringify(gaps);
  for (row.index = 0; row.index < sockets.length; row.index++)
    text += JSON.stringify([
      row.protocol,
      row.state,
      row.local,
      row.remote,
      row.queues,
      row.cookie,
      row.owners,
      row.timer,
      row.inode,
    ]);
  return text;
}

function inSmallChunks(bytes: Uint8Array): SsResult {
  const parser = new SsParser();
  for (let at = 0, length = 1; at < bytes.length; at += length, length = (length * 7 + 3) % 97 || 1)
    parser.write(bytes.slice(at, at + length));
  return parser.end();
}

function runSs(bytes: Uint8Array): void {
  const whole = walk(attempt(() => parseSs(bytes)));
  const chunked = walk(attempt(() => inSmallChunks(bytes)));
  if (whole !== chunked) throw new Error('the result depends on where the chunks end');
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const procTarget = (file: 'tcp' | 'tcp6' | 'udp' | 'unix'): FuzzTarget => ({
  name: `parse/proc/net ${file}`,
  samples: filesOf('proc', new RegExp(`proc_net_${file}\\.`)),
  run: (bytes) => void walk(attempt(() => parseProcNet({ [file]: bytes }))),
});

/** What no sample has: Unix paths, old owners, contexts, MPTCP, kinds that are left out. */
const HAND_MADE = `Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port
u_str LISTEN 1 3 /tmp/n
l 5 * 0 b 146828 * 0 users:(("a",pid=1,tid=2,proc_ctx=u:r:t:s0,c1,fd=4,sock_ctx=u:r)) skmem:(r0,rb2) <-> ino:21 dev:0/6 peers: 1 2
u_dgr ESTAB 0 0 * 146832 * 146833
tcp LISTEN 0 128 :::22 :::* users:(("sshd",1256,4),("sshd",1257,4))
mptcp LISTEN 1 4 *:80 *:* ino:1 sk:ffff88003d2b4000 cgroup:/a b v6only:0 <->
\t subflows_max:2 remote_key token:7ae retrans:1/2 rtt:1e-05/2
nl UNCONN 0 0 rtnl:kernel *
tcp ESTAB 0 0 [fe80::1%eth0]:https 10.0.0.1:x11 timer:(on,1min59sec,3) send 656.3Kbps
`;
const ssSamples = filesOf('ss', /\.txt$/);

export const fuzzTargets: readonly FuzzTarget[] = [
  { name: 'parse/ss', samples: () => [...ssSamples(), new TextEncoder().encode(HAND_MADE)], run: runSs },
  { name: 'parse/ss by hand', samples: () => [new TextEncoder().encode(HAND_MADE)], run: runSs },
  ...(['tcp', 'tcp6', 'udp', 'unix'] as const).map(procTarget),
  {
    name: 'parse/proc/counters',
    samples: filesOf('proc', /netstat|snmp/),
    run: (bytes) => void attempt(() => parseCounters(textOf(bytes), '')),
  },
  {
    name: 'parse/proc/services',
    samples: () => [new TextEncoder().encode('http 80/tcp www # web\n')],
    run: (bytes) => void parseServices(textOf(bytes)),
  },
  {
    name: 'parse/hikari',
    samples: () => [
      new TextEncoder().encode(
        'a: P-1 - Pool stats (total=10, active=0, idle=10, waiting=0)\nP-2 - Pool stats (total=10/10, idle=10/10, active=0, waiting=0)\n',
      ),
    ],
    run: (bytes) => void parseHikari(textOf(bytes)),
  },
];
