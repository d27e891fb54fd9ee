import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Section } from '../../src/model/config.js';
import { ParseError } from '../../src/model/errors.js';
import { parseConfig } from '../../src/parse/config.js';

const read = (text: string) => parseConfig(text, 'c.yaml');
const failure = (text: string) => {
  try {
    read(text);
  } catch (error) {
    if (error instanceof ParseError) return error.message;
    throw error;
  }
  return undefined;
};

describe('the configuration file', () => {
  it('is sections of texts and lists, each with its line', () => {
    const settings = read('check:\n  every: 100ms\n  port:\n    - 0443\n    - 8080\n  quiet: no\n');
    const check = settings.get('check')?.value as Section;
    expect([...check].map(([name, { where, value }]) => [name, where, value])).toEqual([
      ['every', 'c.yaml:2: check.every', '100ms'],
      ['port', 'c.yaml:4: check.port', ['0443', '8080']],
      ['quiet', 'c.yaml:6: check.quiet', 'no'],
    ]);
  });

  it('an empty file, and a section whose settings are all comments', () => {
    expect(read('').size).toBe(0);
    expect(read('# nothing\n').size).toBe(0);
    expect(read('live:\n  # interval: 1s\n').get('live')?.value).toEqual(new Map());
  });

  it.each([
    ['- 1\n', 'c.yaml:1: expected settings, as `name: value`, got "a list"'],
    ['check:\n  a: [\n', 'c.yaml:3: expected YAML'],
    ['check:\n  a: 1\n  a: 2\n', 'c.yaml:3: expected YAML'],
    ['check:\n  a: &x 1\n  b: *x\n', 'c.yaml:3: check.b: expected the value itself'],
    ['check:\n  a: [[1]]\n', 'c.yaml:2: check.a: expected a value, got "a list"'],
    ['a: {b: {c: {d: {e: {f: {g: 1}}}}}}\n', 'expected fewer settings'],
    ['? [1]\n: 2\n', 'c.yaml:1: expected a name'],
  ])('%j is refused with its line', (text, message) => {
    expect(failure(text)).toContain(message);
  });

  it('any text is settings or a ParseError, soon', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.string(),
        fc.constantFrom('check:', '\n', '  ', '- ', '{', '[', '&a ', '*a', ': ', '"', '|', '<<: '),
      ),
    );
    fc.assert(
      fc.property(pieces, (parts) => void failure(parts.join(''))),
      { numRuns: 500 },
    );
    const bomb = [
      'a: &a [x,x]',
      ...'bcdefghij'
        .split('')
        .map((name, at) => `${name}: &${name} [*${'abcdefghi'[at]},*${'abcdefghi'[at]}]`),
    ];
    expect(failure(bomb.join('\n'))).toContain('expected');
  });
});
