import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cleanText,
  displayWidth,
  formatBytes,
  formatCount,
  formatDuration,
  formatOwners,
  formatPercent,
  padEnd,
  padStart,
  truncate,
} from '../../src/render/text.js';

/** What must never reach a terminal: controls, bidi and zero-width characters, halves of surrogate pairs. */
const FORBIDDEN = /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Cs}/u;

describe('cleanText', () => {
  it.each([
    ['plain text', 'plain text'],
    ['\x1b[31mred\x1b[0m', '\\e[31mred\\e[0m'],
    ['a\nb\tc\rd', 'a\\nb\\tc\\rd'],
    ['\x00\x07\x7f\x9b2J', '\\x00\\x07\\x7f\\x9b2J'],
    ['gpj.\u202etxt\u2066', 'gpj.\\u{202e}txt\\u{2066}'],
    ['nginx\u200b\ufeff', 'nginx\\u{200b}\\u{feff}'],
    ['half \ud800 pair', 'half \\u{d800} pair'],
    ['日本 naïve 🦊', '日本 naïve 🦊'],
  ])('%j becomes %s', (text, expected) => {
    expect(cleanText(text)).toBe(expected);
  });

  it('leaves nothing that a terminal obeys, whatever comes', () => {
    const anything = fc.string({
      unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
    });
    fc.assert(fc.property(anything, (text) => !FORBIDDEN.test(cleanText(text))));
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => cleanText(cleanText(text)) === cleanText(text)),
    );
  });
});

describe('width', () => {
  it.each([
    ['nginx', 5],
    ['日本', 4],
    ['ｆｕｌｌ', 8],
    ['e\u0301', 1],
    ['🦊!', 3],
    ['한', 2],
    ['█░▁│…', 5],
  ])('%s takes %d columns', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it('pads and cuts by columns, not by characters', () => {
    expect(padEnd('日本', 6)).toBe('日本  ');
    expect(padStart('日本', 6)).toBe('  日本');
    expect(padStart('long', 2)).toBe('long');
    expect(truncate('日本語', 5)).toBe('日本…');
    expect(truncate('日本語', 4)).toBe('日…');
    expect(truncate('abcdef', 4, '~')).toBe('abc~');
    expect(truncate('abc', 3)).toBe('abc');
    expect(truncate('abc', 0)).toBe('');
  });

  it('never cuts to more than the width', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(20), (raw, width) => {
        return displayWidth(truncate(cleanText(raw), width)) <= width;
      }),
    );
  });
});

describe('formats', () => {
  it.each([
    [0, '0 ms'],
    [0.019, '<0.1 ms'],
    [0.25, '0.3 ms'],
    [3, '3 ms'],
    [12.4, '12 ms'],
    [999.6, '1.0 s'],
    [4100, '4.1 s'],
    [59_960, '1m00s'],
    [125_000, '2m05s'],
    [3_599_999, '1h00m'],
    [3_720_000, '1h02m'],
    [273_600_000, '3d04h'],
    [Number.NaN, '?'],
    [-1, '?'],
  ])('%d ms reads %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it.each([
    [0, '0%'],
    [0.0002, '<1%'],
    [0.29, '29%'],
    [511 / 512, '99%'],
    [1, '100%'],
    [4.88, '488%'],
    [Number.NaN, '?'],
  ])('a fill of %d reads %s', (fill, text) => {
    expect(formatPercent(fill)).toBe(text);
  });

  it('counts and bytes', () => {
    expect(formatCount(84213)).toBe('84,213');
    expect(formatCount(999)).toBe('999');
    expect(formatBytes(512)).toBe('512 B');
    expect(formatBytes(1536)).toBe('1.5 KiB');
    expect(formatBytes(14 * 1024 ** 2)).toBe('14 MiB');
  });

  it('owners: the first process, how many more, unknown and none', () => {
    const owner = (pid: number, fd = 6) => ({ pid, fd, name: 'nginx' });
    expect(formatOwners([owner(813), owner(812), owner(812, 7)])).toBe('nginx/812 +1');
    expect(formatOwners([owner(812), owner(812, 7)])).toBe('nginx/812');
    expect(formatOwners(undefined)).toBe('?');
    expect(formatOwners([])).toBe('-');
    expect(formatOwners([{ pid: 1, fd: 1, name: 'x\x1b]0;y' }])).toBe('x\\e]0;y/1');
  });
});
