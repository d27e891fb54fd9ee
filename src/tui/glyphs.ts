/** The characters that pictures are made of, in Unicode and in ASCII. */
export interface Glyphs {
  readonly unicode: boolean;
  readonly border: {
    readonly topLeft: string;
    readonly topRight: string;
    readonly bottomLeft: string;
    readonly bottomRight: string;
    readonly across: string;
    readonly down: string;
  };
  readonly full: string;
  readonly track: string;
  /** Where a bar was of late. */
  readonly mark: string;
  /** Least to most; the first stands for zero. */
  readonly levels: readonly string[];
  readonly ellipsis: string;
  readonly ascending: string;
  readonly descending: string;
  readonly atLeast: string;
  readonly atMost: string;
  readonly dot: string;
  readonly tick: string;
  readonly corner: string;
}

const UNICODE: Glyphs = {
  unicode: true,
  border: { topLeft: '┌', topRight: '┐', bottomLeft: '└', bottomRight: '┘', across: '─', down: '│' },
  full: '█',
  track: '░',
  mark: '▌',
  levels: [...'▁▂▃▄▅▆▇█'],
  ellipsis: '…',
  ascending: '▲',
  descending: '▼',
  atLeast: '≥',
  atMost: '≤',
  dot: '·',
  tick: '┤',
  corner: '└',
};

const ASCII: Glyphs = {
  unicode: false,
  border: { topLeft: '+', topRight: '+', bottomLeft: '+', bottomRight: '+', across: '-', down: '|' },
  full: '#',
  track: '-',
  mark: '|',
  levels: [...' .:-=+*#'],
  ellipsis: '~',
  ascending: '^',
  descending: 'v',
  atLeast: '>',
  atMost: '<',
  dot: '.',
  tick: '|',
  corner: '+',
};

/** The Linux console has lines and full blocks (code page 437) but no eighth blocks and no braille. */
const CONSOLE: Glyphs = { ...UNICODE, levels: ASCII.levels, ellipsis: '~', atLeast: '>', atMost: '<' };

export type GlyphSet = 'unicode' | 'ascii' | 'console';

export const GLYPHS: Readonly<Record<GlyphSet, Glyphs>> = {
  unicode: UNICODE,
  ascii: ASCII,
  console: CONSOLE,
};
