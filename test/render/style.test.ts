import { describe, expect, it } from 'vitest';
import { decideColor, listenerMark, markOf, paint, ROLES } from '../../src/render/style.js';

describe('decideColor', () => {
  const term = { TERM: 'xterm-256color' };

  it.each([
    ['a terminal', term, true, undefined, true],
    ['a pipe', term, false, undefined, false],
    ['a pipe, with FORCE_COLOR', { ...term, FORCE_COLOR: '1' }, undefined, undefined, false],
    ['--no-color', term, true, false, false],
    ['NO_COLOR', { ...term, NO_COLOR: '1' }, true, undefined, false],
    ['an empty NO_COLOR', { ...term, NO_COLOR: '' }, true, undefined, true],
    ['TERM=dumb', { TERM: 'dumb' }, true, undefined, false],
    ['no TERM', {}, true, undefined, false],
  ])('%s', (_, env, isTty, flag, expected) => {
    expect(decideColor(env, isTty, flag)).toBe(expected);
  });
});

describe('meaning without colour', () => {
  it('has a mark for each severity', () => {
    expect([undefined, 'info', 'warning', 'critical'].map((severity) => markOf(severity as never))).toEqual([
      'ok',
      'i',
      '!',
      '!!',
    ]);
  });

  it('does not call a listener of unknown limit ok', () => {
    expect(listenerMark({ verdict: 'unknown_limit', findings: [] })).toBe('?');
  });

  it('paints nothing where there is no colour', () => {
    for (const role of ROLES) expect(paint(role, 'full', false)).toBe('full');
    expect(paint('critical', 'full', true)).toBe('\x1b[1;37;41mfull\x1b[0m');
  });
});
