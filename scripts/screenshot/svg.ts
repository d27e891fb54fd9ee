import type { IBufferCell, Terminal } from '@xterm/headless';

const CELL = { width: 8.43, height: 17, font: 14 };
const MARGIN = 12;
const BACKGROUND = '#101216';
const FOREGROUND = '#d0d4da';
/** The sixteen colours that a terminal chooses itself. */
const BASE = [
  '#1d1f21',
  '#e05f65',
  '#b5bd68',
  '#f0c674',
  '#81a2be',
  '#b294bb',
  '#8abeb7',
  '#c5c8c6',
  '#7c8088',
  '#e8686d',
  '#b9ca4a',
  '#e7c547',
  '#7aa6da',
  '#c397d8',
  '#70c0b1',
  '#eaeaea',
] as const;

/** The screen of a terminal as a picture: one rectangle or text for each run of cells that look alike. */
export function renderSvg(terminal: Terminal): string {
  const width = terminal.cols * CELL.width + 2 * MARGIN;
  const height = terminal.rows * CELL.height + 2 * MARGIN;
  const rows = Array.from({ length: terminal.rows }, (_, y) => renderRow(terminal, y)).join('');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>sockwatch live</title>`,
    `<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>`,
    `<g font-family="DejaVu Sans Mono, Menlo, monospace" font-size="${CELL.font}" xml:space="preserve">${rows}</g></svg>\n`,
  ].join('\n');
}

interface Look {
  readonly fill: string;
  readonly back: string;
  readonly bold: boolean;
}

function renderRow(terminal: Terminal, y: number): string {
  const buffer = terminal.buffer.active;
  const line = buffer.getLine(buffer.viewportY + y);
  if (line === undefined) return '';
  const parts: string[] = [];
  for (let x = 0; x < terminal.cols; x++) {
    const cell = line.getCell(x);
    if (cell === undefined || cell.getWidth() === 0) continue;
    parts.push(renderCell(cell, lookOf(cell), x, y));
  }
  return parts.join('');
}

function renderCell(cell: IBufferCell, look: Look, x: number, y: number): string {
  const left = (MARGIN + x * CELL.width).toFixed(1);
  const top = MARGIN + y * CELL.height;
  const width = (CELL.width * cell.getWidth() + 0.4).toFixed(1);
  const text = cell.getChars();
  const back =
    look.back === BACKGROUND
      ? ''
      : `<rect x="${left}" y="${top}" width="${width}" height="${CELL.height + 0.4}" fill="${look.back}"/>`;
  if (text === '' || text === ' ') return back;
  const weight = look.bold ? ' font-weight="bold"' : '';
  return `${back}<text x="${left}" y="${top + CELL.font - 1}" fill="${look.fill}"${weight}>${escapeXml(text)}</text>`;
}

function lookOf(cell: IBufferCell): Look {
  const fore = cell.isFgDefault() ? FOREGROUND : colour(cell.getFgColor(), cell.isFgRGB());
  const back = cell.isBgDefault() ? BACKGROUND : colour(cell.getBgColor(), cell.isBgRGB());
  const inverse = cell.isInverse() !== 0;
  return { fill: inverse ? back : fore, back: inverse ? fore : back, bold: cell.isBold() !== 0 };
}

/** xterm's palette: 16 base colours, a cube of 6 x 6 x 6, 24 greys. */
function colour(value: number, isRgb: boolean): string {
  if (isRgb) return `#${value.toString(16).padStart(6, '0')}`;
  if (value < 16) return BASE[value] ?? FOREGROUND;
  if (value >= 232) return grey(8 + (value - 232) * 10);
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40);
  const index = value - 16;
  return `rgb(${level(Math.floor(index / 36))},${level(Math.floor(index / 6) % 6)},${level(index % 6)})`;
}

const grey = (level: number) => `rgb(${level},${level},${level})`;
const escapeXml = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
