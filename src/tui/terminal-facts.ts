import type { GlyphSet } from './glyphs.js';
import type { ColorDepth } from './theme.js';

type Env = Readonly<Record<string, string | undefined>>;

/** What can be known of a terminal from the environment, before the first byte is written to it. */
export interface TerminalFacts {
  readonly unicode: boolean;
  readonly color: ColorDepth;
  readonly glyphs: GlyphSet;
  /** Charts drawn in braille; else in blocks or ASCII of our own. */
  readonly braille: boolean;
  /** The terminfo that comes with blessed: it cannot read today's system files (TUI.md, faults 1 to 3). */
  readonly terminfo: 'xterm-256color' | 'linux';
  /** Set where a full screen makes no sense: why, for people. */
  readonly refuse?: string;
}

export interface TerminalWishes {
  readonly ascii?: boolean;
  readonly color?: boolean;
}

/**
 * Reads TERM, NO_COLOR and the locale. Pure. The caller checks that stdin and stdout are terminals.
 * A terminal that cannot move its cursor is refused: exit status 2, and the command says what to use instead.
 */
export function terminalFacts(env: Env, wishes: TerminalWishes = {}): TerminalFacts {
  const term = (env.TERM ?? '').toLowerCase();
  const unicode = wishes.ascii !== true && isUtf8(env);
  const isConsole = term === 'linux';
  const refuse = refusal(term);
  return {
    unicode,
    color: wishes.color === false || (env.NO_COLOR ?? '') !== '' ? 0 : colorsOf(term),
    glyphs: !unicode ? 'ascii' : isConsole ? 'console' : 'unicode',
    braille: unicode && !isConsole,
    terminfo: isConsole ? 'linux' : 'xterm-256color',
    ...(refuse !== undefined && { refuse }),
  };
}

/** The first of LC_ALL, LC_CTYPE and LANG that is set decides (locale(7)). */
export function isUtf8(env: Env): boolean {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '');
  return locale !== undefined && /utf-?8/i.test(locale);
}

function refusal(term: string): string | undefined {
  if (term === '') return 'TERM is not set';
  if (term === 'dumb' || term === 'unknown') return `TERM=${term} cannot show a full screen`;
  return undefined;
}

/** Terminals that name their eight colours in TERM; everything else of today has 256. */
function colorsOf(term: string): ColorDepth {
  if (/^vt\d|-mono$|^ansi-m|-m$/.test(term)) return 0;
  return /^(linux|ansi|cygwin|xterm-color|xterm-8color|screen|rxvt)$/.test(term) ? 8 : 256;
}
