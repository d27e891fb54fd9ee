import { settleListed } from './settle.js';
import { applyRows, areRowsStale, isWanted, type MadeRows, rowsInSteps } from './settle-rows.js';
import type { RowsBasis, UiState } from './state.js';

/** How long after the answer to a key the lists are made anew: a person who types on does not wait for them. */
const DELAY_MS = 20;
/** Work between two chances to answer a key. */
const SLICE_MS = 10;

/** Makes the lists of connections in slices between keys and frames, so that 100,000 of them hold up nobody. */
export class RowWork {
  private timer: NodeJS.Timeout | undefined;
  private steps: Generator<RowsBasis, MadeRows> | undefined;

  constructor(
    private readonly read: () => UiState,
    private readonly write: (state: UiState) => void,
  ) {}

  /** Does nothing while it is at work: it looks itself whether its work is still wanted. */
  start(): void {
    this.timer ??= setTimeout(this.slice, DELAY_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.steps = undefined;
  }

  private readonly slice = (): void => {
    const state = settleListed(this.read());
    if (!areRowsStale(state)) {
      this.finish(state);
      return;
    }
    this.steps ??= rowsInSteps(state);
    const until = performance.now() + SLICE_MS;
    let step = this.steps.next();
    while (step.done !== true && performance.now() < until) step = this.steps.next();
    if (step.done === true) {
      this.finish(isWanted(state, step.value.basis) ? applyRows(state, step.value) : state);
      return;
    }
    if (!isWanted(state, step.value)) this.steps = undefined;
    this.timer = setTimeout(this.slice, 0);
  };

  private finish(state: UiState): void {
    this.stop();
    this.write(state);
  }
}
