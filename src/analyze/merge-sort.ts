/** Rows that are sorted, or merged, between two steps: a few ms with the dearest comparison. */
const STEP_ROWS = 4096;

/**
 * Sorts in place, stable, and yields `token` every few thousand rows, for a caller that has other things to do meanwhile:
 * a million rows take a second, which no key press should wait for.
 */
export function* mergeSortInSteps<Token>(
  rows: Uint32Array,
  compare: (a: number, b: number) => number,
  token: Token,
): Generator<Token, void> {
  for (let start = 0; start < rows.length; start += STEP_ROWS) {
    rows.subarray(start, start + STEP_ROWS).sort(compare);
    yield token;
  }
  let from = rows;
  let to: Uint32Array = new Uint32Array(rows.length > STEP_ROWS ? rows.length : 0);
  for (let width = STEP_ROWS; width < rows.length; width *= 2) {
    for (let start = 0; start < rows.length; start += 2 * width) {
      const middle = Math.min(start + width, rows.length);
      yield* mergeInSteps(
        { from, to, start, middle, end: Math.min(middle + width, rows.length) },
        compare,
        token,
      );
    }
    [from, to] = [to, from];
  }
  if (from !== rows) rows.set(from);
}

/** Two sorted runs that lie side by side. */
interface Runs {
  readonly from: Uint32Array;
  readonly to: Uint32Array;
  readonly start: number;
  readonly middle: number;
  readonly end: number;
}

function* mergeInSteps<Token>(
  { from, to, start, middle, end }: Runs,
  compare: (a: number, b: number) => number,
  token: Token,
): Generator<Token, void> {
  let [left, right] = [start, middle];
  for (let at = start; at < end; at++) {
    if ((at - start) % STEP_ROWS === STEP_ROWS - 1) yield token;
    const takesLeft =
      right >= end || (left < middle && compare(from[left] as number, from[right] as number) <= 0);
    to[at] = from[takesLeft ? left++ : right++] as number;
  }
}
