import { describe, expect, it } from 'vitest';
import { paintLines } from '../../src/tui/screen-paint.js';
import { ROLES } from '../../src/tui/spans.js';
import { isUtf8, terminalFacts } from '../../src/tui/terminal-facts.js';
import { sgr } from '../../src/tui/theme.js';
import { MISSING_COLUMNS } from '../../src/tui/views/connection-detail.js';

const UTF8 = { TERM: 'xterm-256color', LANG: 'C.UTF-8' };

describe('what a terminal can do', () => {
  it('reads the locale in the order of locale(7)', () => {
    expect(isUtf8({ LANG: 'de_DE.utf8' })).toBe(true);
    expect(isUtf8({ LC_ALL: 'C', LANG: 'de_DE.UTF-8' })).toBe(false);
    expect(isUtf8({ LC_ALL: '', LC_CTYPE: 'C.UTF-8', LANG: 'C' })).toBe(true);
    expect(isUtf8({ LANGUAGE: 'de.UTF-8' })).toBe(false);
    expect(isUtf8({})).toBe(false);
  });

  it.each([
    [
      'a terminal of today',
      UTF8,
      {},
      { unicode: true, color: 256, glyphs: 'unicode', braille: true, terminfo: 'xterm-256color' },
    ],
    ['LANG=C', { ...UTF8, LANG: 'C' }, {}, { unicode: false, glyphs: 'ascii', braille: false }],
    ['--ascii', UTF8, { ascii: true }, { unicode: false, glyphs: 'ascii' }],
    ['NO_COLOR', { ...UTF8, NO_COLOR: '1' }, {}, { color: 0, unicode: true }],
    ['an empty NO_COLOR', { ...UTF8, NO_COLOR: '' }, {}, { color: 256 }],
    ['--no-color', UTF8, { color: false }, { color: 0 }],
    [
      'the console',
      { ...UTF8, TERM: 'linux' },
      {},
      { color: 8, glyphs: 'console', braille: false, terminfo: 'linux' },
    ],
    ['tmux', { ...UTF8, TERM: 'tmux-256color' }, {}, { color: 256, terminfo: 'xterm-256color' }],
  ] as const)('%s', (_, env, wishes, facts) => {
    expect(terminalFacts(env, wishes)).toMatchObject(facts);
    expect(terminalFacts(env, wishes).refuse).toBeUndefined();
  });

  it('refuses what cannot move its cursor, and says why', () => {
    expect(terminalFacts({ TERM: 'dumb' }).refuse).toBe('TERM=dumb cannot show a full screen');
    expect(terminalFacts({}).refuse).toBe('TERM is not set');
  });
});

describe('colours', () => {
  it('without colour there is only bold and inverse', () => {
    for (const role of ROLES) {
      for (const ground of ['plain', 'bar', 'selected'] as const) {
        expect(sgr({ text: 'x', role, ground }, 0)).toMatch(/^(1|7|1;7|)$/);
        expect(sgr({ text: 'x', role, ground }, 8)).not.toContain(';5;');
      }
    }
  });

  it('what is critical looks unlike what is a warning, everywhere', () => {
    for (const depth of [256, 8, 0] as const) {
      for (const ground of ['plain', 'bar', 'selected'] as const) {
        const look = (role: 'critical' | 'text') => sgr({ text: '', role, ground }, depth);
        expect(look('critical')).not.toBe(look('text'));
      }
    }
  });

  it('replaces what the screen library would draw at another width', () => {
    const paint = {
      depth: 0 as const,
      unicode: true,
      charWidth: (character: string) => (character === '網' ? 2 : 1),
    };
    expect(paintLines([[{ text: '網🦊é' }]], paint)).toBe('網??é');
    expect(paintLines([[{ text: '網é', role: 'title' }]], { ...paint, unicode: false })).toBe(
      '\x1b[1m???\x1b[m',
    );
  });
});

describe('details of a connection', () => {
  it('show every column that a table can have', () => {
    expect(MISSING_COLUMNS).toEqual([]);
  });
});
