import type { Ground, Role, Span } from './spans.js';

/** Colours that the terminal can show: 256, 8, or 0 for bold and inverse alone. */
export type ColorDepth = 256 | 8 | 0;

type Palette = Readonly<Record<Role, string>>;

/**
 * SGR parameters by meaning. Orange against blue, never red against green, so that colour-blind people see the
 * difference; what is full is white on red and bold, and a word or mark says it too.
 */
const PALETTES: Readonly<Record<ColorDepth, Palette>> = {
  256: {
    text: '',
    dim: '38;5;245',
    faint: '38;5;239',
    title: '1',
    head: '38;5;109',
    border: '38;5;240',
    focus: '1;38;5;80',
    fill: '38;5;74',
    info: '38;5;75',
    warning: '1;38;5;214',
    critical: '1;38;5;231;48;5;160',
    alarm: '1;38;5;203',
    key: '1;38;5;80',
  },
  8: {
    text: '',
    dim: '',
    faint: '',
    title: '1',
    head: '1',
    border: '',
    focus: '1;36',
    fill: '36',
    info: '36',
    warning: '1;33',
    critical: '1;37;41',
    alarm: '1;31',
    key: '1;36',
  },
  0: {
    text: '',
    dim: '',
    faint: '',
    title: '1',
    head: '1',
    border: '',
    focus: '1',
    fill: '',
    info: '',
    warning: '1',
    critical: '1;7',
    alarm: '1',
    key: '1',
  },
};

/** Grounds of 256 colours carry their own foreground, so that they stay readable on light terminals. */
const GROUNDS: Readonly<Record<'bar' | 'selected', Partial<Record<Role, string>> & { base: string }>> = {
  bar: { base: '48;5;236', text: '38;5;252', dim: '38;5;247', title: '1;38;5;231' },
  selected: { base: '48;5;24', text: '38;5;231', dim: '38;5;251', faint: '38;5;67', fill: '38;5;117' },
};

/** SGR parameters of a span, '' for the terminal's own look. */
export function sgr({ role = 'text', ground = 'plain' }: Span, depth: ColorDepth): string {
  const own = PALETTES[depth][role];
  if (ground === 'plain') return own;
  if (depth === 256) return onColor(role, ground, own);
  // Inverse is the only ground that every terminal has; what is critical stands out by not being inverse, or by its red.
  if (role === 'critical') return depth === 0 ? '1' : own;
  return own.startsWith('1') ? '1;7' : '7';
}

function onColor(role: Role, ground: Exclude<Ground, 'plain'>, own: string): string {
  if (role === 'critical') return own;
  const { base, ...roles } = GROUNDS[ground];
  return `${roles[role] ?? own};${base}`;
}
