import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAlert, parseRange, statusOf } from '../../src/analyze/ranges.js';
import { ParseError } from '../../src/model/errors.js';
import { formatNumber, formatRange } from '../../src/model/ranges.js';

describe('ranges of the monitoring plugins', () => {
  // The table of the guidelines, and what lies on the ends.
  it.each([
    ['10', [-1, 10.001, 11], [0, 5, 10]],
    ['10:', [9.999, -5], [10, 1e9]],
    ['~:10', [10.5, 11], [10, -1e9]],
    ['10:20', [9, 21], [10, 15, 20]],
    ['@10:20', [10, 15, 20], [9, 21]],
    ['@80:', [80, 500], [79.9]],
    ['0', [1, -1], [0]],
    ['-5:-1', [0, -6], [-5, -1]],
    ['.5', [0.6], [0.25]],
    ['80%', [81], [80]],
    ['~:', [], [-1e9, 0, 1e9]],
  ])('%s alerts at %j and not at %j', (text, alerts, others) => {
    const range = parseRange(text, '--warning');
    expect(alerts.filter((value) => !isAlert(range, value))).toEqual([]);
    expect(others.filter((value) => isAlert(range, value))).toEqual([]);
  });

  it.each(['', '@', 'a', '1:2:3', '20:10', '10,5', '1e3', '--5', '~', ' : x', '%', '@@1'])(
    '%j is none',
    (text) => {
      expect(() => parseRange(text, '--warning')).toThrow(ParseError);
    },
  );

  it('any text is a range or a ParseError, and a range survives being written', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.stringMatching(/^@?(~|-?\d{1,4}(\.\d{1,3})?)?:?(-?\d{1,4}(\.\d{1,3})?)?%?$/),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          const range = parseRange(text, 'x');
          const written = formatRange(range);
          expect(formatRange(parseRange(written, 'x'))).toBe(written);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('critical counts before warning', () => {
    const limits = { warning: parseRange('5', 'w'), critical: parseRange('10', 'c') };
    expect([5, 6, 10, 11].map((value) => statusOf(value, limits))).toEqual([
      'ok',
      'warning',
      'warning',
      'critical',
    ]);
    expect(statusOf(1e6, {})).toBe('ok');
  });

  it('numbers have no exponent and no more than three decimals', () => {
    expect([0, 1, 90.3, 1e21, 1 / 3, -2.5, 116.1].map(formatNumber)).toEqual([
      '0',
      '1',
      '90.3',
      '1000000000000000000000',
      '0.333',
      '-2.5',
      '116.1',
    ]);
  });
});
