import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../src/cli/duration.js';

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['1s', 1000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    [' 3s ', 3000],
    ['0', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text, '--interval')).toBe(ms);
  });

  it.each(['', '5', 's', '-1s', '1 s', '1e3ms', 'NaNms', '1s1s', '5min'])('refuses %j', (text) => {
    expect(() => parseDuration(text, '--interval')).toThrow(
      `--interval: expected a duration such as 500ms, 1s or 5m, got ${JSON.stringify(text)}`,
    );
  });
});
