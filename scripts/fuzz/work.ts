import { ParseError } from '../../src/model/errors.js';
import { fuzzTargets as checks } from '../../test/fuzz/targets-check.js';
import { fuzzTargets as filters } from '../../test/fuzz/targets-filter.js';
import { fuzzTargets as netlinks } from '../../test/fuzz/targets-netlink.js';
import { fuzzTargets as parsers } from '../../test/fuzz/targets-parse.js';
import { fuzzTargets as captures } from '../../test/fuzz/targets-trace.js';
import { mutate, randomFrom } from './mutate.js';

const SLOW_MS = 2000;
const SAY_EVERY = 200;
const [seconds = '60', seed = '1', only = ''] = process.argv.slice(2);
const random = randomFrom(Number(seed));
const targets = [...parsers, ...filters, ...captures, ...checks, ...netlinks]
  .filter(({ name }) => name.includes(only))
  .map((target) => ({ ...target, inputs: target.samples(), runs: 0 }))
  .filter(({ inputs }) => inputs.length > 0);
if (targets.length === 0) throw new Error(`no target is named like "${only}"`);

let inputs = 0;
const end = performance.now() + Number(seconds) * 1000;
while (performance.now() < end) {
  for (const target of targets) {
    if (inputs++ % SAY_EVERY === 0) process.send?.(inputs);
    const input = mutate(target.inputs, random);
    const fault = tryOne(target.run, input);
    if (fault !== undefined) throw new Error(describe(target.name, input, fault));
    target.runs++;
  }
}
for (const { name, runs } of targets)
  process.stdout.write(`${name}: ${runs} inputs, only ParseError raised\n`);

/** What went wrong: anything thrown but a ParseError, or too much time. */
function tryOne(run: (input: Uint8Array) => void, input: Uint8Array): unknown {
  const start = performance.now();
  try {
    run(input);
  } catch (error) {
    if (!(error instanceof ParseError)) return error;
  }
  return performance.now() - start > SLOW_MS ? new Error(`took longer than ${SLOW_MS} ms`) : undefined;
}

function describe(name: string, input: Uint8Array, fault: unknown): string {
  const what = fault instanceof Error ? fault.stack : String(fault);
  return `${name} (seed ${seed}): ${what}\ninput, base64: ${Buffer.from(input).toString('base64')}`;
}
