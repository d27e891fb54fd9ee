import type { CloseFacts } from '../../model/trace.js';
import { type ByteText, fixedText } from '../byte-text.js';

/** Whether nothing happened at the close that `closeJson` would tell with moments. */
export const isPlainClose = (close: CloseFacts): boolean =>
  close.idleClose === undefined &&
  close.race === undefined &&
  close.resetAfterRequest === undefined &&
  close.gaveUp === undefined;

const F = {
  close: fixedText(',"close":{'),
  firstFin: fixedText('"first_fin":'),
  simultaneous: fixedText('"simultaneous":true,'),
  timeWait: fixedText('"time_wait":'),
};

/** A plain close as `closeJson` has it. */
export function writePlainClose(out: ByteText, { firstFin, simultaneous, timeWait }: CloseFacts): void {
  out.fixed(F.close);
  if (firstFin) {
    out.fixed(F.firstFin);
    out.string(firstFin);
    out.comma();
  }
  if (simultaneous) out.fixed(F.simultaneous);
  if (timeWait) {
    out.fixed(F.timeWait);
    out.string(timeWait);
    out.comma();
  }
  out.close('}');
}
