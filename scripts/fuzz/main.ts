import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** No input may take this long: it hangs, or its time is not linear. */
const STUCK_MS = 10_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
process.stdout.write(`seed ${seed}, ${values.seconds} s\n`);

// A loop without end cannot be seen from within: a process does the work and says how far it is.
const work = fork(
  fileURLToPath(new URL('work.ts', import.meta.url)),
  [values.seconds, String(seed), values.only],
  {
    execArgv: ['--import', 'tsx'],
  },
);
let heard = performance.now();
let inputs = 0;
work.on('message', (count) => {
  heard = performance.now();
  inputs = Number(count);
});
work.on('exit', (code) => process.exit(code ?? 1));

setInterval(() => {
  if (performance.now() - heard < STUCK_MS) return;
  process.stderr.write(`an input after number ${inputs} of seed ${seed} takes longer than ${STUCK_MS} ms\n`);
  work.kill('SIGKILL');
}, 1000).unref();
