import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckState } from '../../src/model/check-state.js';
import { ParseError } from '../../src/model/errors.js';
import { formatCheckState, parseCheckState } from '../../src/parse/check-state.js';

const STATE: CheckState = {
  check: 'abc',
  bootId: 'b1',
  netns: '4026531840',
  netnsMark: 'c3',
  time: 1_700_000_000_000,
  monotonic: 12.5,
  counters: { ListenOverflows: 3 },
  namespaces: new Map([
    [
      '4026531840',
      { namespace: { id: '4026531840', name: 'host' }, mark: 'c3', counters: { ListenOverflows: 3 } },
    ],
    ['4026531999', { namespace: { id: '4026531999' }, isOther: true }],
    ['4026532455', { namespace: { id: '4026532455', container: { id: 'a'.repeat(64), name: 'we"b' } } }],
  ]),
  sight: 'pid:4026531836 run:24:1',
  listeners: new Map([['4026531840:81234', { local: '0.0.0.0:443', cookie: '3f70b', drops: 7 }]]),
  history: new Map([['accept-queue 0.0.0.0:443', ['ok', 'critical']]]),
  told: { status: 'critical', problems: ['critical accept-queue 0.0.0.0:443'], time: 1_700_000_000_000 },
};

describe('the state file', () => {
  it('is read as it was written', () => {
    expect(parseCheckState(formatCheckState(STATE))).toEqual(STATE);
  });

  it('every prefix of it, and every field of another kind, is a ParseError', () => {
    const text = formatCheckState(STATE).trimEnd();
    for (let end = 0; end < text.length; end++)
      expect(() => parseCheckState(text.slice(0, end))).toThrow(ParseError);
    const fields = JSON.parse(text) as Record<string, unknown>;
    for (const name of Object.keys(fields)) {
      for (const wrong of [null, [], 'x', -1, Number.MAX_VALUE * 2, true]) {
        if (typeof wrong === typeof fields[name] && typeof wrong === 'string') continue;
        expect(() => parseCheckState(JSON.stringify({ ...fields, [name]: wrong }))).toThrow(ParseError);
      }
    }
  });

  it('anything else is a ParseError too', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => parseCheckState(text)).toThrow(ParseError);
      }),
    );
  });
});
