import { describe, expect, it } from 'vitest';
import { splitCommand } from '../../src/cli/split-command.js';
import { ParseError } from '../../src/model/errors.js';

const split = (text: string) => splitCommand(text, '--on-alert');

describe('splitCommand', () => {
  it.each([
    ['notify', ['notify']],
    ['  notify   --to ops\tnow ', ['notify', '--to', 'ops', 'now']],
    [`a 'b c' d`, ['a', 'b c', 'd']],
    [`a "b \\"c\\" \\\\ \\n" d`, ['a', 'b "c" \\ \\n', 'd']],
    [`a b\\ c \\"d`, ['a', 'b c', '"d']],
    [`a --to="x y"'z'`, ['a', '--to=x yz']],
    [`a ''`, ['a', '']],
    ['a $HOME * ~ | b ; c `d` & $(e)', ['a', '$HOME', '*', '~', '|', 'b', ';', 'c', '`d`', '&', '$(e)']],
  ])('splits %s', (text, words) => {
    expect(split(text)).toEqual(words);
  });

  it.each([
    [`a 'b`, "expected a closing '"],
    ['a "b\\"', 'expected a closing "'],
    ['a \\', 'expected a closing \\'],
    ['   ', 'expected a program and its arguments'],
    [`'' a`, 'expected a program and its arguments'],
    ['a\0b', 'expected a command without NUL bytes'],
  ])('refuses %j', (text, expected) => {
    expect(() => split(text)).toThrow(ParseError);
    expect(() => split(text)).toThrow(`--on-alert: ${expected}`);
  });
});
