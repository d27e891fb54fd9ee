import { describe, expect, it } from 'vitest';
import { mutate, randomFrom } from '../../scripts/fuzz/mutate.js';
import { fuzzTargets } from './targets-check.js';

const INPUTS = 300;

describe('inputs of check and replay, mutated', () => {
  it.each(fuzzTargets)('$name: an answer or a ParseError', ({ samples, run }) => {
    const random = randomFrom(20_261_121);
    const inputs = samples();
    for (let count = 0; count < INPUTS; count++) run(mutate(inputs, random));
    for (const sample of inputs) {
      const step = Math.max(1, Math.floor(sample.length / 200));
      for (let end = 0; end <= sample.length; end += step) run(sample.subarray(0, end));
    }
    expect(inputs.length).toBeGreaterThan(0);
  });
});
