import { describe, expect, it } from 'vitest';
import { InputDecoder } from '../../src/tui/input.js';
import { ACTIONS, actionOf, KEYS } from '../../src/tui/keys.js';
import { lineText } from '../../src/tui/spans.js';
import { helpLines } from '../../src/tui/views/help.js';

describe('the key table', () => {
  it('has every action once, and no key twice', () => {
    expect(KEYS.map(({ action }) => action).sort()).toEqual([...ACTIONS].sort());
    for (const inReplay of [true, false]) {
      const keys = KEYS.filter(({ group }) => (group === 'replay') === inReplay).flatMap(
        (binding) => binding.keys,
      );
      expect(keys).toEqual([...new Set(keys)]);
    }
  });

  it('is what the help shows, line by line', () => {
    const help = helpLines().map(lineText);
    for (const { shown, text } of KEYS) {
      expect(help.filter((line) => line.startsWith(`  ${shown} `) && line.endsWith(text))).toHaveLength(1);
    }
  });

  it('ranks the key bar without ties, help and quit first', () => {
    const ranks = KEYS.flatMap(({ bar }) => (bar === undefined ? [] : [bar.rank]));
    expect([...ranks].sort((a, b) => a - b)).toEqual(ranks.map((_, index) => index + 1));
    expect(KEYS.find(({ bar }) => bar?.rank === 1)?.action).toBe('quit');
  });

  it('knows its actions by key', () => {
    expect(actionOf('q')).toBe('quit');
    expect(actionOf('C-c')).toBe('interrupt');
    expect(actionOf('f1')).toBe('help');
    expect(actionOf('Q')).toBeUndefined();
    expect([actionOf('left'), actionOf('home')]).toEqual([undefined, 'first']);
    expect([actionOf('left', true), actionOf('home', true), actionOf('j', true)]).toEqual([
      'seek-back',
      'seek-start',
      'down',
    ]);
  });
});

describe('input', () => {
  const names = (...chunks: string[]) => {
    const decoder = new InputDecoder();
    return chunks
      .flatMap((chunk) => decoder.feed(chunk))
      .map((event) => (event.kind === 'key' ? event.name : event));
  };

  it.each([
    ['q', 'q'],
    ['\r', 'enter'],
    ['\n', 'enter'],
    ['\x03', 'C-c'],
    ['\x1a', 'C-z'],
    ['\x1c', 'C-\\'],
    ['\x7f', 'backspace'],
    ['\x1b[A', 'up'],
    ['\x1bOB', 'down'],
    ['\x1b[5~', 'pageup'],
    ['\x1b[Z', 'S-tab'],
    ['\x1bOP', 'f1'],
    ['\x1b[[A', 'f1'],
    ['é', 'é'],
    ['網', '網'],
  ])('%j is %s', (bytes, name) => {
    expect(names(bytes)).toEqual([name]);
  });

  it('puts split sequences together', () => {
    expect(names('\x1b', '[', 'A')).toEqual(['up']);
    expect(names('\x1b[<0;5', ';3M')).toEqual([{ kind: 'mouse', what: 'press', x: 4, y: 2 }]);
  });

  it('takes a lone ESC for the key once nothing follows', () => {
    const decoder = new InputDecoder();
    expect(decoder.feed('\x1b')).toEqual([]);
    expect(decoder.isWaiting).toBe(true);
    expect(decoder.flush()).toEqual([{ kind: 'key', name: 'escape' }]);
    expect(decoder.isWaiting).toBe(false);
  });

  it('lets a key that is held down through, and keeps a paste together', () => {
    expect(names('jjj')).toEqual(['j', 'j', 'j']);
    expect(names('\x1b[B\x1b[B')).toEqual(['down', 'down']);
    expect(names('quit')).toEqual([{ kind: 'paste', text: 'quit' }]);
    expect(names('\x1b[200~a', 'q\x1b[A', 'b\x1b[201', '~q')).toEqual([
      { kind: 'paste', text: 'aq\x1b[Ab' },
      'q',
    ]);
  });

  it('bounds a paste that never ends', () => {
    const decoder = new InputDecoder();
    decoder.feed('\x1b[200~');
    for (let chunk = 0; chunk < 100; chunk++) decoder.feed('x'.repeat(1000));
    const [event] = decoder.feed('\x1b[201~');
    expect(event?.kind === 'paste' ? event.text.length : -1).toBeLessThan(5000);
  });

  it('drops answers of the terminal and keys it does not know', () => {
    expect(names('\x1b[?1;2c', '\x1b[1;5A', '\x1b[24;80R')).toEqual([]);
  });

  it('reads wheel and click', () => {
    expect(names('\x1b[<64;10;5M', '\x1b[<65;1;1M', '\x1b[<0;1;1m')).toEqual([
      { kind: 'mouse', what: 'wheel-up', x: 9, y: 4 },
      { kind: 'mouse', what: 'wheel-down', x: 0, y: 0 },
    ]);
  });
});
