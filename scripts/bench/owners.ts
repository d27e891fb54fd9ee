import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { observeOnce } from '../../src/collect/observe.js';
import { OwnerFinder } from '../../src/collect/owners.js';
import { type Crowd, gatherVillage } from './crowd.js';
import { type Contestant, race, summarise, type Times } from './measure.js';

const here = fileURLToPath(import.meta.url);
const say = (text: string) => process.stdout.write(`${text}\n`);
const RUNS = 5;
const VILLAGERS = 5000;

interface OwnerTimes {
  /** The first scan, which reads every descriptor. */
  readonly cold: Times;
  /** A look after it, at the same sockets. */
  readonly warm: Times;
  readonly unowned: number;
}

/** Owners of all sockets, cold and warm apart: few processes with many sockets, and many with one each. */
export async function measureOwners(crowd: Crowd): Promise<Record<string, unknown>> {
  const many = reportOwners('six processes', crowd);
  const village = await gatherVillage(VILLAGERS);
  try {
    return { many, small: reportOwners(`${VILLAGERS.toLocaleString('en')} processes`, village) };
  } finally {
    await village.end();
  }
}

function reportOwners(what: string, crowd: Crowd) {
  const [file = '', ...args] = crowd.enter([process.execPath, '--import', 'tsx', here]);
  const { cold, warm, unowned } = JSON.parse(
    execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
  ) as OwnerTimes;
  const contestants: Contestant[] = [
    { name: 'ss -tan', command: crowd.enter(['ss', '-tan']) },
    { name: 'ss -tunp', command: crowd.enter(['ss', '-tunp']) },
  ];
  const times = race(contestants, RUNS);
  const [tan, tunp] = ['ss -tan', 'ss -tunp'].map((name) => times.get(name)?.median ?? Number.NaN);
  const ofSs = (tunp ?? Number.NaN) - (tan ?? Number.NaN);
  say(
    `\nowners of ${crowd.sockets.toLocaleString('en')} sockets in ${what} (ms; ${unowned} of them found no owner)`,
  );
  for (const [name, value] of [
    ['ss -tunp less ss -tan', ofSs],
    ['cold', cold.median],
    ['warm', warm.median],
  ] as const)
    say(`${name.padEnd(34)}${value.toFixed(1).padStart(11)}${(ofSs / value).toFixed(1).padStart(11)}`);
  return { ss_ms: ofSs, cold, warm };
}

/** Inside the namespace. */
async function measureHere(): Promise<OwnerTimes> {
  const options = { source: 'auto', udp: false, unix: false, scope: 'all', timeoutMs: 60_000 } as const;
  const cold: number[] = [];
  const warm: number[] = [];
  let unowned = 0;
  for (let run = 0; run <= RUNS; run++) {
    const { sockets } = await observeOnce({ ...options, owners: false });
    const finder = new OwnerFinder('/proc');
    const wish = { everything: true, patienceMs: Number.POSITIVE_INFINITY, signal: undefined };
    const took = async (into: number[]) => {
      const start = performance.now();
      await finder.warmUp(undefined, true);
      await finder.update(sockets, wish);
      if (run > 0) into.push(performance.now() - start);
    };
    await took(cold);
    for (let look = 0; look < RUNS; look++) await took(warm);
    sockets.attachOwners(finder);
    unowned = 0;
    for (let row = 0; row < sockets.length; row++) if (!sockets.ownersAt(row)?.length) unowned++;
  }
  return { cold: summarise(cold), warm: summarise(warm), unowned };
}

if (process.argv[1] === here) process.stdout.write(JSON.stringify(await measureHere()));
