/** What a person did: a key by name, text that was pasted, or the mouse (column and row from 0). */
export type InputEvent =
  | { readonly kind: 'key'; readonly name: string }
  | { readonly kind: 'paste'; readonly text: string }
  | {
      readonly kind: 'mouse';
      readonly what: 'press' | 'wheel-up' | 'wheel-down';
      readonly x: number;
      readonly y: number;
    };

const ESC = '\x1b';
const PASTE_START = `${ESC}[200~`;
const PASTE_END = `${ESC}[201~`;
/** CSI, SS3, a broken-off CSI, Alt and a character, or one character (xterm's ctlseqs). */
const SEQUENCE = /\x1b\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]|\x1bO[\x40-\x7e]|\x1b[^[O\x1b]|\x1b|[^\x1b]/suy;
const MOUSE = /^\x1b\[<(\d+);(\d+);(\d+)([Mm])$/;
/** A pasted text that never ends must not grow without bound. */
const MAX_PASTE = 4096;

const NAMES: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  ' ': 'space',
  '\x7f': 'backspace',
  '\b': 'backspace',
  [ESC]: 'escape',
  ...cursorKeys('A', 'up'),
  ...cursorKeys('B', 'down'),
  ...cursorKeys('C', 'right'),
  ...cursorKeys('D', 'left'),
  ...cursorKeys('H', 'home'),
  ...cursorKeys('F', 'end'),
  [`${ESC}[1~`]: 'home',
  [`${ESC}[7~`]: 'home',
  [`${ESC}[4~`]: 'end',
  [`${ESC}[8~`]: 'end',
  [`${ESC}[3~`]: 'delete',
  [`${ESC}[5~`]: 'pageup',
  [`${ESC}[6~`]: 'pagedown',
  [`${ESC}[Z`]: 'S-tab',
  [`${ESC}OP`]: 'f1',
  [`${ESC}[11~`]: 'f1',
  // The Linux console: ESC [ [ A, of which the last letter comes as a character of its own.
  [`${ESC}[[`]: 'console-function',
};

function cursorKeys(letter: string, name: string): Record<string, string> {
  return { [`${ESC}[${letter}`]: name, [`${ESC}O${letter}`]: name };
}

/**
 * Bytes of the terminal as events. Pasted text is kept apart from keys, so that a `q` in it does not quit: by the
 * marks of bracketed paste, and where the terminal knows none, because no person types several keys in one chunk.
 */
export class InputDecoder {
  private pasted: string | undefined;
  private held = '';

  /** Events of one chunk of decoded text. A lone ESC is held back: it may be the start of a sequence. */
  feed(chunk: string): InputEvent[] {
    const text = this.held + chunk;
    this.held = '';
    return this.pasted === undefined ? this.keys(text) : this.inPaste(text);
  }

  /** Whether `flush` should be called when nothing follows soon. */
  get isWaiting(): boolean {
    return this.held !== '';
  }

  /** What was held back stands for itself: the Escape key. */
  flush(): InputEvent[] {
    const held = this.held;
    this.held = '';
    return held === ESC ? [{ kind: 'key', name: 'escape' }] : [];
  }

  private keys(text: string): InputEvent[] {
    const start = text.indexOf(PASTE_START);
    if (start >= 0) {
      this.pasted = '';
      return [...this.keys(text.slice(0, start)), ...this.inPaste(text.slice(start + PASTE_START.length))];
    }
    const cut = /\x1b(\[[\x30-\x3f]*)?$/.exec(text)?.index ?? text.length;
    this.held = text.slice(cut);
    const sequences = text.slice(0, cut).match(new RegExp(SEQUENCE.source, 'gsu')) ?? [];
    const mice = sequences.flatMap(mouseEvent);
    const rest = sequences.filter((sequence) => !MOUSE.test(sequence));
    return [...mice, ...keysOrPaste(rest)];
  }

  private inPaste(text: string): InputEvent[] {
    const all = (this.pasted ?? '') + text;
    const end = all.indexOf(PASTE_END);
    if (end < 0) {
      // The end mark may lie across two chunks: what is dropped for length is in the middle.
      this.pasted = all.length > MAX_PASTE ? all.slice(0, MAX_PASTE) + all.slice(-PASTE_END.length) : all;
      return [];
    }
    this.pasted = undefined;
    const rest = all.slice(end + PASTE_END.length);
    return [{ kind: 'paste', text: all.slice(0, end) }, ...(rest === '' ? [] : this.keys(rest))];
  }
}

/** One key, or one key held down; different keys in one chunk are a paste. */
function keysOrPaste(sequences: readonly string[]): InputEvent[] {
  const first = sequences[0];
  if (first === undefined) return [];
  if (first === `${ESC}[[`) return sequences[1] === 'A' ? [{ kind: 'key', name: 'f1' }] : [];
  const isOneKey = sequences.every((sequence) => sequence === first);
  if (!isOneKey) return [{ kind: 'paste', text: sequences.filter((part) => !part.startsWith(ESC)).join('') }];
  const name = keyName(first);
  return name === undefined ? [] : sequences.map(() => ({ kind: 'key', name }));
}

/** `undefined` for sequences that are no key of ours: answers of the terminal, keys with modifiers. */
function keyName(sequence: string): string | undefined {
  const known = NAMES[sequence];
  if (known !== undefined) return known;
  if (sequence.startsWith(ESC)) return undefined;
  const code = sequence.charCodeAt(0);
  if (code < 0x20) return `C-${String.fromCharCode(code + 0x40).toLowerCase()}`;
  return sequence;
}

function mouseEvent(sequence: string): InputEvent[] {
  const match = MOUSE.exec(sequence);
  if (match === null) return [];
  const [button, column, row] = match.slice(1, 4).map(Number);
  const at = { x: (column ?? 1) - 1, y: (row ?? 1) - 1 };
  if (button === 64) return [{ kind: 'mouse', what: 'wheel-up', ...at }];
  if (button === 65) return [{ kind: 'mouse', what: 'wheel-down', ...at }];
  return button === 0 && match[4] === 'M' ? [{ kind: 'mouse', what: 'press', ...at }] : [];
}
