import { type ByteText, type FixedText, fixedText } from './byte-text.js';
import { jsonText } from './json-text.js';

/** A power of two. Texts on the same place take turns. */
const PLACES = 64;
const PLACE_STEP = 31;

interface Known {
  readonly text: string;
  /** The whole field; made when the text comes a second time in a row, for what never comes again is not worth it. */
  field: FixedText | undefined;
}

/** A field of objects whose text is mostly one of a few: name and text are written as one. */
export class RepeatedField {
  private readonly known: (Known | undefined)[] = new Array(PLACES).fill(undefined);
  private readonly name: FixedText;

  /**
   * @param before as `,"role":`
   * @param after what follows the text, as a comma
   */
  constructor(
    private readonly before: string,
    private readonly after = '',
  ) {
    this.name = fixedText(before);
  }

  write(out: ByteText, text: string): void {
    const place = placeOf(text);
    const known = this.known[place];
    if (known === undefined || known.text !== text) {
      this.known[place] = { text, field: undefined };
      this.writeNew(out, text);
    } else {
      known.field ??= fixedText(this.before + jsonText(text) + this.after);
      out.fixed(known.field);
    }
  }

  private writeNew(out: ByteText, text: string): void {
    out.fixed(this.name);
    out.string(text);
    if (this.after !== '') out.text(this.after);
  }
}

function placeOf(text: string): number {
  const { length } = text;
  if (length === 0) return 0;
  return (length * PLACE_STEP + text.charCodeAt(length >> 1) + text.charCodeAt(length - 1)) & (PLACES - 1);
}
