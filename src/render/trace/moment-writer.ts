import type { Moment } from '../../model/trace.js';
import type { MomentJson } from '../../model/trace-json.js';
import { type ByteText, type FixedText, fixedText } from '../byte-text.js';
import { momentJson, secondText } from './time.js';

const NANOS = 1e9;
/** A power of two: so many seconds are kept, for the packets of a connection lie close together. */
const PLACES = 256;

interface Second {
  readonly seconds: number;
  /** `{"time":"2026-11-20T19:15:06.`; undefined for a time that no calendar has. */
  readonly text: FixedText | undefined;
}

const FRAME = fixedText('Z","frame":');

/** Writes moments; the date and time to the second, most of their text, is kept. */
export class MomentWriter {
  private readonly kept: (Second | undefined)[] = new Array(PLACES).fill(undefined);

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
    // Less than half a nanosecond before the next second: ten digits.
    if (text !== undefined && rest < NANOS) {
      out.fixed(text);
      out.nineDigits(rest);
      out.fixed(FRAME);
      out.number(frame);
      out.close('}');
    } else out.json(this.json(moment));
  }

  private textOf(seconds: number): FixedText | undefined {
    const place = seconds & (PLACES - 1);
    const known = this.kept[place];
    if (known !== undefined && known.seconds === seconds) return known.text;
    const date = secondText(seconds);
    const text = date === undefined ? undefined : fixedText(`{"time":"${date}.`);
    this.kept[place] = { seconds, text };
    return text;
  }
}
