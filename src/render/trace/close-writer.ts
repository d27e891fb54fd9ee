import type { CloseFacts } from '../../model/trace.js';
import { type ByteText, fixedText } from '../byte-text.js';
import { RepeatedField } from '../repeated-field.js';

/** Whether nothing happened at the close that `closeJson` would tell with moments. */
export const isPlainClose = (close: CloseFacts): boolean =>
  close.idleClose === undefined &&
  close.race === undefined &&
  close.resetAfterRequest === undefined &&
  close.gaveUp === undefined;

const F = {
  close: fixedText(',"close":{'),
  firstFin: new RepeatedField('"first_fin":', ','),
  simultaneous: fixedText('"simultaneous":true,'),
  timeWait: new RepeatedField('"time_wait":', ','),
};

/** A plain close as `closeJson` has it. */
export function writePlainClose(out: ByteText, { firstFin, simultaneous, timeWait }: CloseFacts): void {
  out.fixed(F.close);
  if (firstFin) F.firstFin.write(out, firstFin);
  if (simultaneous) out.fixed(F.simultaneous);
  if (timeWait) F.timeWait.write(out, timeWait);
  out.close('}');
}
