import { expect, it } from 'vitest';
import { duration } from '../../src/analyze/words.js';

it.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [4100, '4.1 s'],
  [119_000, '119 s'],
  [119_600, '2.0 min'],
  [125_000, '2.1 min'],
  [5_950_000, '99 min'],
  [7_199_000, '120 min'],
  [7_200_000, '2.0 h'],
  [62_474_000, '17.4 h'],
  [200_000_000, '2.3 d'],
])('%s ms are %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});
