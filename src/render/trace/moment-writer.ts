import type { Moment } from '../../model/trace.js';
import type { MomentJson } from '../../model/trace-json.js';
import { type ByteText, type FixedText, fixedText } from '../byte-text.js';
import { momentJson, secondText } from './time.js';

const NANOS = 1e9;
/** A power of two: so many seconds are kept, for the packets of a connection lie close together. */
const PLACES = 256;

const FRAME = fixedText('Z","frame":');

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
    out.fixed(name);
    this.write(out, moment);
    out.comma();
  }

  /** A moment as text. */
  write(out: ByteText, moment: Moment): void {
    const { time, frame } = moment;
    const whole = Math.floor(time / NANOS);
    const rest = Math.round(time - whole * NANOS);
    const text = this.textOf(this.epochSeconds + whole);
    // Less than half a nanosecond before the next second there are ten digits.
    if (text !== undefined && rest < NANOS && (frame | 0) === frame && frame >= 0) {
      out.stamp(text, rest, FRAME, frame);
      out.close('}');
    } else out.json(this.json(moment));
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
