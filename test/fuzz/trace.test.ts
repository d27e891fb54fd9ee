import { describe, expect, it } from 'vitest';
import { mutate, randomFrom } from '../../scripts/fuzz/mutate.js';
import { traceBytes } from '../support/trace.js';
import { fuzzTargets } from './targets-trace.js';

const [target] = fuzzTargets;
const samples = target.samples();

describe('captures, changed', () => {
  it('in a few bytes, or cut and joined, end in an analysis', () => {
    const random = randomFrom(20_261_121);
    for (let count = 0; count < 1500; count++) target.run(mutate(samples, random));
    expect(samples.length).toBeGreaterThan(5);
  });

  it('at every prefix: packets, and a fault or none', () => {
    const smallest = [...samples].sort((a, b) => a.length - b.length).slice(0, 4);
    for (const sample of smallest) {
      let before = 0;
      for (let length = 0; length <= sample.length; length++) {
        const { result } = traceBytes(sample.subarray(0, length));
        expect(result.summary.packets).toBeGreaterThanOrEqual(before);
        before = result.summary.packets;
      }
    }
  });
});
