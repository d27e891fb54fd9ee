import type { MomentJson } from '../../model/trace-json.js';
import type { Moment } from '../../model/trace-moment.js';
import {
  type ByteText,
  type FixedText,
  fixedText,
  putDigits,
  putFixed,
  putNineDigits,
} from '../byte-text.js';
import { momentJson, secondText } from './time.js';

const NANOS = 1e9;
/** Up to here a double is good for tenths of a nanosecond: 11 days since the first packet. */
const MOST_NANOS = 1e15;
/** A power of two: so many seconds are kept, for the packets of a connection lie close together. */
const PLACES = 256;
const NOTHING = fixedText('');
const FRAME = fixedText('Z","frame":');
/** `{"time":"2026-11-20T19:15:06.215291000Z","frame":4294967295}` has less. */
const LONGEST = 80;
const BRACE = 0x7d;

/** Writes moments; the date and time to the second, most of their text, is kept. */
export class MomentWriter {
  private readonly seconds = new Float64Array(PLACES).fill(Number.NaN);
  private readonly texts: (FixedText | undefined)[] = new Array(PLACES).fill(undefined);
  private epochSeconds = 0;

  /** What the times of the moments that follow count from. */
  begin(epochSeconds: number): void {
    this.epochSeconds = epochSeconds;
  }

  /** A moment for `JSON.stringify`. */
  readonly json = (moment: Moment): MomentJson => momentJson(this.epochSeconds, moment);

  /** `name`, the moment and a comma. */
  entry(out: ByteText, name: FixedText, moment: Moment): void {
    this.write(out, moment, name);
    out.comma();
  }

  /** A moment as text, behind its name. */
  write(out: ByteText, moment: Moment, name = NOTHING): void {
    const { time, frame } = moment;
    const whole = Math.floor(time / NANOS);
    // Less than half a nanosecond before the next second there are ten digits.
    const rest = Math.round(time - whole * NANOS);
    const text =
      rest < NANOS && time < MOST_NANOS && time >= 0 ? this.textOf(this.epochSeconds + whole) : undefined;
    if (text === undefined || (frame | 0) !== frame || frame < 0) {
      out.fixed(name);
      out.json(this.json(moment));
      return;
    }
    const view = out.room(name.length + LONGEST);
    let at = putFixed(view, out.length, name);
    at = putFixed(view, at, text);
    at = putNineDigits(view, at, rest);
    at = putFixed(view, at, FRAME);
    at = putDigits(view, at, frame);
    view.setUint8(at, BRACE);
    out.wrote(at + 1);
  }

  /** `{"time":"2026-11-20T19:15:06.`; undefined for a time that no calendar has. */
  private textOf(seconds: number): FixedText | undefined {
    const place = seconds & (PLACES - 1);
    if (this.seconds[place] === seconds) return this.texts[place];
    const date = secondText(seconds);
    const text = date === undefined ? undefined : fixedText(`{"time":"${date}.`);
    this.seconds[place] = seconds;
    this.texts[place] = text;
    return text;
  }
}
