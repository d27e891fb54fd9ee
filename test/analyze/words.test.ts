import { expect, it } from 'vitest';
import { duration } from '../../src/analyze/words.js';

it.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [4100, '4.1 s'],
  [125_000, '125 s'],
  [7_199_000, '7,199 s'],
  [7_200_000, '2.0 h'],
  [62_474_000, '17.4 h'],
  [200_000_000, '2.3 d'],
])('%s ms are %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});
