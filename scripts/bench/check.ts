import { fileURLToPath } from 'node:url';
import type { Crowd } from './crowd.js';
import { type Contestant, race, type Times } from './measure.js';

const empty = fileURLToPath(new URL('empty-oclif/run.js', import.meta.url));
const say = (text: string) => process.stdout.write(`${text}\n`);

/** `check` from start to exit, beside what it may be compared with (whole processes). */
export function measureCheck(crowd: Crowd, cli: string, runs: number): Readonly<Record<string, Times>> {
  const check = (...args: string[]) => crowd.enter([process.execPath, cli, 'check', '--no-config', ...args]);
  const contestants: Contestant[] = [
    { name: 'node -e 0', command: [process.execPath, '-e', '0'] },
    { name: 'an empty oclif command', command: [process.execPath, empty, 'nothing'] },
    { name: 'ss -tln', command: crowd.enter(['ss', '-tln']) },
    { name: 'ss -tlnp', command: crowd.enter(['ss', '-tlnp']) },
    { name: 'check', command: check('--no-state') },
    { name: 'check --source ss', command: check('--no-state', '--source', 'ss') },
    {
      name: 'check, with a state file',
      command: check('--state', `/tmp/sockwatch-bench-${process.pid}.json`),
    },
    { name: 'check -m connections', command: check('--no-state', '-m', 'connections') },
  ];
  const times = race(contestants, runs);
  const of = (name: string) => times.get(name)?.median ?? Number.NaN;
  say(`\ncheck, ${crowd.sockets.toLocaleString('en')} sockets, ${runs} runs each, whole processes (ms)`);
  say(
    `${'command'.padEnd(34)}${['min', 'median', 'max', '/ node', '/ empty', '/ ss -tlnp'].map((head) => head.padStart(11)).join('')}`,
  );
  for (const [name, { min, median, max }] of times) {
    const cells = [
      min.toFixed(0),
      median.toFixed(0),
      max.toFixed(0),
      (median / of('node -e 0')).toFixed(2),
      (median / of('an empty oclif command')).toFixed(2),
      (median / of('ss -tlnp')).toFixed(2),
    ];
    say(`${name.padEnd(34)}${cells.map((cell) => cell.padStart(11)).join('')}`);
  }
  return Object.fromEntries(times);
}
