import { parseArgs } from 'node:util';
import { ParseError } from '../../src/model/errors.js';
import { fuzzTargets as filters } from '../../test/fuzz/targets-filter.js';
import { fuzzTargets as parsers } from '../../test/fuzz/targets-parse.js';
import { mutate, randomFrom } from './mutate.js';

const SLOW_MS = 2000;
const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' }, only: { type: 'string' } },
});
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const random = randomFrom(seed);
const targets = [...parsers, ...filters]
  .filter(({ name }) => values.only === undefined || name.includes(values.only))
  .map((target) => ({ ...target, inputs: target.samples(), runs: 0 }))
  .filter(({ inputs }) => inputs.length > 0);
const end = performance.now() + Number(values.seconds) * 1000;
process.stdout.write(`seed ${seed}, ${targets.length} targets, ${values.seconds} s\n`);

while (performance.now() < end) {
  for (const target of targets) {
    const input = mutate(target.inputs, random);
    const start = performance.now();
    try {
      target.run(input);
    } catch (error) {
      if (!(error instanceof ParseError)) fail(target.name, input, error);
    }
    if (performance.now() - start > SLOW_MS)
      fail(target.name, input, new Error(`took longer than ${SLOW_MS} ms`));
    target.runs++;
  }
}
for (const { name, runs } of targets)
  process.stdout.write(`${name}: ${runs} inputs, only ParseError raised\n`);

function fail(name: string, input: Uint8Array, error: unknown): never {
  process.stderr.write(`${name} (seed ${seed}): ${error instanceof Error ? error.stack : String(error)}\n`);
  process.stderr.write(`input, base64: ${Buffer.from(input).toString('base64')}\n`);
  process.exit(1);
}
