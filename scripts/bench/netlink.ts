import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LookKind } from '../../src/collect/look-plan.js';
import { dumpsFor } from '../../src/collect/netlink.js';
import { Dumper } from '../../src/collect/netlink-dump.js';
import { openDiagSocket } from '../../src/collect/netlink-socket.js';
import { DumpParser, wireOf } from '../../src/parse/netlink/index.js';
import type { Crowd } from './crowd.js';
import { summarise, type Times } from './measure.js';
import { measureScreen, type Pauses } from './million.js';

const here = fileURLToPath(import.meta.url);
const say = (text: string) => process.stdout.write(`${text}\n`);
const RUNS = 9;
const SYNTHETIC_ROWS = 1_000_000;
const ESTABLISHED = 1;

interface NetlinkFigures {
  /** One look in process, by kind, through the kernel of a namespace full of sockets. */
  readonly looks: Readonly<Record<string, Times>>;
  /** Reading the answer about a million sockets, without the kernel. */
  readonly million: { readonly ms: Times; readonly megabytes: number; readonly rssMegabytes: number };
  /** The screen over a table of that size. */
  readonly screen: readonly Pauses[];
}

/** sock_diag in process: what the kernel and the parser take, without the start of a program. */
export function measureNetlink(crowd: Crowd): NetlinkFigures {
  const [file = '', ...args] = crowd.enter([process.execPath, '--import', 'tsx', here, 'looks']);
  const looks = JSON.parse(execFileSync(file, args, { encoding: 'utf8' })) as NetlinkFigures['looks'];
  const million = JSON.parse(
    execFileSync(process.execPath, ['--import', 'tsx', here, 'million'], { encoding: 'utf8' }),
  ) as NetlinkFigures['million'];
  say(`\nsock_diag in process, ${crowd.sockets.toLocaleString('en')} sockets (ms)`);
  for (const [name, { min, median, max }] of Object.entries(looks))
    say(`${name.padEnd(34)}${[min, median, max].map((ms) => ms.toFixed(2).padStart(11)).join('')}`);
  const { ms, megabytes, rssMegabytes } = million;
  say(
    `1,000,000 sockets: ${megabytes.toFixed(0)} MB read in ${ms.median.toFixed(0)} ms; table and program ${rssMegabytes.toFixed(0)} MB`,
  );
  const screen = measureScreen();
  for (const { name, totalMs, longestMs } of screen)
    say(
      `1,000,000 rows on the screen, ${name.padEnd(26)} ${totalMs.toFixed(0).padStart(5)} ms, keys wait ${longestMs.toFixed(0)} ms at most`,
    );
  return { looks, million, screen };
}

async function times(look: () => Promise<unknown> | unknown): Promise<Times> {
  const taken: number[] = [];
  for (let run = 0; run <= RUNS; run++) {
    const start = performance.now();
    await look();
    if (run > 0) taken.push(performance.now() - start);
  }
  return summarise(taken);
}

async function measureLooks(): Promise<NetlinkFigures['looks']> {
  const dumper = new Dumper(openDiagSocket);
  const wanted = { udp: false, unix: false, scope: 'all' } as const;
  const look = (kind: LookKind, details: boolean, ports: number[] = []) =>
    times(() =>
      dumper.run({
        dumps: dumpsFor(kind, { ...wanted, details }, ports),
        timeoutMs: 60_000,
        expectedRows: 0,
      }),
    );
  const listenersOnly = {
    dumps: [{ name: 'tcp4', states: 1 << 10 }],
    timeoutMs: 1000,
    expectedRows: 0,
  } as const;
  return {
    'all, with tcp_info': await look('complete', true),
    'all, without': await look('complete', false),
    'listeners and SYN-RECV': await look('listeners', true),
    'and who waits at two ports': await look('ports', true, [1, 2]),
    'listeners of IPv4 alone': await times(() => dumper.run(listenersOnly)),
  };
}

/** The recorded answer about one established connection, over and over. */
async function measureMillion(): Promise<NetlinkFigures['million']> {
  const recorded = readFileSync(new URL('../../fixtures/netlink/linux-6.18-tcp4.bin', import.meta.url));
  const view = new DataView(recorded.buffer, recorded.byteOffset, recorded.length);
  let at = 0;
  while (recorded[at + 17] !== ESTABLISHED) at += view.getUint32(at, true);
  const message = recorded.subarray(at, at + view.getUint32(at, true));
  const perBuffer = Math.floor(32768 / message.length);
  const buffer = new Uint8Array(perBuffer * message.length);
  for (let index = 0; index < perBuffer; index++) buffer.set(message, index * message.length);
  const wire = wireOf(buffer);
  const read = () => {
    const parser = new DumpParser({ expectedRows: SYNTHETIC_ROWS + perBuffer });
    parser.begin('tcp4', wire.words[2] as number);
    for (let rows = 0; rows < SYNTHETIC_ROWS; rows += perBuffer) parser.read(wire, buffer.length);
    return parser.end().sockets.length;
  };
  return {
    ms: await times(read),
    megabytes: (SYNTHETIC_ROWS * message.length) / 1e6,
    rssMegabytes: process.memoryUsage.rss() / 1e6,
  };
}

if (process.argv[2] === 'looks') process.stdout.write(JSON.stringify(await measureLooks()));
else if (process.argv[2] === 'million') process.stdout.write(JSON.stringify(await measureMillion()));
