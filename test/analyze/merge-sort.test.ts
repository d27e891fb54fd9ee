import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeSortInSteps } from '../../src/analyze/merge-sort.js';

describe('a sort in steps', () => {
  it('gives what a stable sort gives, whatever the length', () => {
    const lengths = fc.oneof(
      fc.nat(50),
      fc.nat(20_000),
      fc.constantFrom(4095, 4096, 4097, 8192, 8193, 12_289),
    );
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 5000 }), fc.integer(), (length, kinds, seed) => {
        const keys = Uint32Array.from(
          { length },
          (_, row) => (Math.imul(row ^ seed, 0x9e3779b1) >>> 0) % kinds,
        );
        const compare = (a: number, b: number) => (keys[a] ?? 0) - (keys[b] ?? 0);
        const rows = Uint32Array.from({ length }, (_, row) => row);
        const wanted = Uint32Array.from([...rows].sort(compare));
        for (const token of mergeSortInSteps(rows, compare, 'step')) expect(token).toBe('step');
        expect(rows).toEqual(wanted);
      }),
      { numRuns: 60 },
    );
  });

  it('does no more than some thousand comparisons at once', () => {
    const rows = Uint32Array.from(
      { length: 100_000 },
      (_, row) => (Math.imul(row, 0x9e3779b1) >>> 0) % 100_000,
    );
    let [since, most] = [0, 0];
    const compare = (a: number, b: number) => {
      most = Math.max(most, ++since);
      return a - b;
    };
    for (const _ of mergeSortInSteps(rows, compare, undefined)) since = 0;
    expect(most).toBeLessThan(100_000);
    expect(most).toBeGreaterThan(0);
  });
});
