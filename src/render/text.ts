import type { Owner } from '../model/sockets.js';

// Printable and of one meaning: everything but the categories Other (controls, bidi and other format characters, lone
// surrogates, private use, unassigned), the line separators, and what Unicode says to show as nothing.
const HOSTILE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
const PLAIN_ASCII = /^[\x20-\x7e]*$/;
const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x1b': '\\e',
};

/**
 * Text from outside (process names, paths, hosts) made safe for a terminal, a log and a mail: controls become visible
 * escapes (`\e`, `\x9b`, `\u{202e}`). Total: any string is accepted. Process names are the choice of any local user.
 */
export function cleanText(text: string): string {
  return PLAIN_ASCII.test(text) ? text : text.replace(HOSTILE, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return NAMED_ESCAPES[character] ?? (code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`);
}

const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cc}\p{Cf}\u1160-\u11ff]$/u;
// East Asian Width W and F (Unicode 15, EastAsianWidth.txt) by blocks, and what is drawn as an emoji by itself.
const DOUBLE_WIDTH =
  /^[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]$/u;

function characterWidth(character: string): number {
  if (DOUBLE_WIDTH.test(character)) return 2;
  return ZERO_WIDTH.test(character) ? 0 : 1;
}

/** Columns of a terminal that cleaned text takes: East Asian wide and emoji 2, combining marks 0. */
export function displayWidth(text: string): number {
  if (PLAIN_ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** Spaces after the text up to `width` columns; longer text stays as it is. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** Spaces before the text up to `width` columns; longer text stays as it is. */
export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - displayWidth(text))) + text;
}

/** At most `width` columns; what was cut shows as `ellipsis` (give `~` where the terminal has no Unicode). */
export function truncate(text: string, width: number, ellipsis = '…'): string {
  if (displayWidth(text) <= width) return text;
  const room = width - displayWidth(ellipsis);
  if (room < 0) return '';
  let used = 0;
  let kept = '';
  for (const character of text) {
    used += characterWidth(character);
    if (used > room) break;
    kept += character;
  }
  return kept + ellipsis;
}

/** `84,213`: the same in every locale. */
export function formatCount(n: number): string {
  if (!Number.isFinite(n)) return '?';
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `<0.1 ms`, `0.2 ms`, `12 ms`, `4.1 s`, `2m05s`, `1h02m`, `3d04h`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return '?';
  if (ms > 0 && ms < 0.05) return '<0.1 ms';
  if (ms > 0 && ms < 9.95) return `${trimZero(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return pair(seconds, 60, 'm', 's');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1440) return pair(minutes, 60, 'h', 'm');
  return pair(Math.floor(minutes / 60), 24, 'd', 'h');
}

/** Where the text of a duration begins to be rounded to a step, ms. */
const STEPS = [
  [0, 0.1],
  [9.95, 1],
  [999.5, 100],
  [59_950, 1000],
  [3_600_000, 60_000],
  [86_400_000, 3_600_000],
] as const;

/** A duration that is a bound: the text is not above a lower one (`down`), nor below an upper one (`up`). */
export function formatBound(ms: number, way: 'down' | 'up'): string {
  const step = STEPS.findLast(([from]) => ms >= from)?.[1] ?? 1;
  const steps = ms / step;
  // 0.3 / 0.1 is 2.999...
  const whole = way === 'down' ? Math.floor(steps + 1e-9) : Math.ceil(steps - 1e-9);
  return formatDuration(whole * step);
}

const trimZero = (text: string) => text.replace(/\.0$/, '');

const pair = (total: number, base: number, big: string, small: string) =>
  `${Math.floor(total / base)}${big}${String(total % base).padStart(2, '0')}${small}`;

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `512 B`, `1.5 KiB`, `14 MiB`. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return '?';
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const text = unit === 0 || Math.abs(value) >= 9.95 ? String(Math.round(value)) : trimZero(value.toFixed(1));
  return `${text} ${BYTE_UNITS[unit]}`;
}

/**
 * `0%`, `<1%`, `77%`, `100%`, `488%` from a ratio. Rounded down, so that `100%` is said of a full queue only, and
 * never to `0%`, so that one waiting connection is seen.
 */
export function formatPercent(ratio: number): string {
  if (!Number.isFinite(ratio)) return '?';
  // 0.29 * 100 is 28.999...: nudge what is a whole percent but for the last bits.
  const percent = Math.floor(ratio * 100 + 1e-9);
  return percent === 0 && ratio > 0 ? '<1%' : `${percent}%`;
}

/** `nginx/812`, `nginx/812 +3` (further processes), `?` where unknown, `-` for none. */
export function formatOwners(owners: readonly Owner[] | undefined): string {
  if (owners === undefined) return '?';
  const first = owners.reduce<Owner | undefined>(
    (best, o) => (best && best.pid <= o.pid ? best : o),
    undefined,
  );
  if (first === undefined) return '-';
  const others = new Set(owners.map((owner) => owner.pid)).size - 1;
  return `${cleanText(first.name)}/${first.pid}${others > 0 ? ` +${others}` : ''}`;
}
