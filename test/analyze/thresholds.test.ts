import { describe, expect, it } from 'vitest';
import { readListeners } from '../../src/analyze/listeners.js';
import { DEFAULT_THRESHOLDS, parsePortOverride, thresholdsFor } from '../../src/analyze/thresholds.js';
import { ParseError } from '../../src/model/errors.js';
import type { Listener } from '../../src/model/listener.js';
import { buildTable, listen } from '../support/table-builder.js';

describe('a port override', () => {
  it.each([
    ['443=50:80', [443, { warnFill: 0.5, criticalFill: 0.8 }]],
    ['443=50%:80%', [443, { warnFill: 0.5, criticalFill: 0.8 }]],
    ['8080=62.5', [8080, { warnFill: 0.625 }]],
    [' 1=:95 ', [1, { criticalFill: 0.95 }]],
  ])('%j is read', (text, expected) => {
    expect(parsePortOverride(text)).toEqual(expected);
  });

  const FORM = 'port threshold: expected PORT=WARN:CRITICAL in percent, as 443=50:80, got';
  it.each([
    ['443', `${FORM} "443"`],
    ['443=', `${FORM} "443="`],
    ['0=50', `${FORM} "0=50"`],
    ['65536=50', `${FORM} "65536=50"`],
    ['http=50', `${FORM} "http=50"`],
    ['443=-5', `${FORM} "443=-5"`],
    ['443=90:80', 'port threshold: expected a warning at or below the critical percentage, got "443=90:80"'],
    ['443=0:80', 'port threshold: expected percentages above 0 and up to 1000, got "443=0:80"'],
    ['443=50:1001', 'port threshold: expected percentages above 0 and up to 1000, got "443=50:1001"'],
  ])('%j is refused', (text, message) => {
    const refused = () => parsePortOverride(text);
    expect(refused).toThrow(ParseError);
    expect(refused).toThrow(expect.objectContaining({ message }));
  });
});

describe('the thresholds of a listener', () => {
  const at = (local: string, text: string) => {
    const listener = readListeners(buildTable([listen(local, [0, 8])]))[0] as Listener;
    const { warnFill, criticalFill } = thresholdsFor(listener, {
      ...DEFAULT_THRESHOLDS,
      ports: new Map([parsePortOverride(text)]),
    });
    return [warnFill, criticalFill];
  };

  it.each([
    ['0.0.0.0:443', '443=50:80', [0.5, 0.8]],
    ['0.0.0.0:80', '443=50:80', [0.7, 0.9]],
    ['0.0.0.0:443', '443=95', [0.95, 0.95]],
    ['0.0.0.0:443', '443=:60', [0.6, 0.6]],
  ])('%s with %s', (local, text, expected) => {
    expect(at(local, text)).toEqual(expected);
  });
});
