import { type Crowd, gatherCrowd } from './crowd.js';
import { type Contestant, race, type Times } from './measure.js';

const say = (text: string) => process.stdout.write(`${text}\n`);

/** One look beside ss, as whole processes. */
export function raceSnapshots(crowd: Crowd, cli: string, runs: number): Readonly<Record<string, Times>> {
  return report(crowd, runs, [...peers(crowd), ...SNAPSHOTS.map((flags) => snapshot(crowd, cli, flags))]);
}

/** Pairs of connections: hosts with 1,000, 10,000 and 100,000 sockets. */
const SIZES = [500, 5000, 50_000];

/** The same few commands on small, middling and large hosts. */
export async function raceSizes(cli: string, runs: number): Promise<Readonly<Record<number, unknown>>> {
  const figures: Record<number, unknown> = {};
  for (const pairs of SIZES) {
    const crowd = await gatherCrowd(pairs);
    try {
      const ours = [[], ['--no-owners'], ['--all']].map((flags) => snapshot(crowd, cli, flags));
      figures[crowd.sockets] = report(crowd, runs, [...peers(crowd), ...ours]);
    } finally {
      await crowd.end();
    }
  }
  return figures;
}

const peers = (crowd: Crowd): Contestant[] => [
  ...['-tan', '-tunp', '-tlnp', '-tanimoeOH'].map((flags) => ({
    name: `ss ${flags}`,
    command: crowd.enter(['ss', flags]),
  })),
  { name: 'node -e 0', command: [process.execPath, '-e', '0'] },
];

const SNAPSHOTS: readonly (readonly string[])[] = [
  [],
  ['--source', 'ss'],
  ['--no-owners'],
  ['--no-owners', '--source', 'ss'],
  ['--all', '--no-owners'],
  ['--all', '--no-owners', '--source', 'ss'],
  ['--all'],
  ['--all', '--format', 'ndjson'],
];

const snapshot = (crowd: Crowd, cli: string, flags: readonly string[]): Contestant => ({
  name: ['snapshot', ...flags].join(' '),
  command: crowd.enter([process.execPath, cli, 'snapshot', ...flags]),
});

function report(
  crowd: Crowd,
  runs: number,
  contestants: readonly Contestant[],
): Readonly<Record<string, Times>> {
  const times = race(contestants, runs);
  const of = (name: string) => times.get(name)?.median ?? Number.NaN;
  say(`\n${crowd.sockets.toLocaleString('en')} sockets, ${runs} runs each, whole processes (ms)`);
  const heads = ['min', 'median', 'max', '/ ss -tan', 'ss -tunp /'];
  say(`${'command'.padEnd(40)}${heads.map((head) => head.padStart(11)).join('')}`);
  for (const [name, { min, median, max }] of times) {
    const whole = [min, median, max].map((ms) => ms.toFixed(0));
    const cells = [...whole, (median / of('ss -tan')).toFixed(2), (of('ss -tunp') / median).toFixed(2)];
    say(`${name.padEnd(40)}${cells.map((cell) => cell.padStart(11)).join('')}`);
  }
  return Object.fromEntries(times);
}
