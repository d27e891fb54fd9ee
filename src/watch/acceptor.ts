/**
 * Signs of accept(), for which the kernel has no counter per listener (KERNEL.md 6). A queue is left by accept() only, the oldest
 * first: so while the head of the queue stays, nothing was accepted.
 */
export interface AcceptorState {
  /** The last look that showed how long connections have waited. */
  readonly aged?: { readonly monotonic: number; readonly oldestMs: number; readonly length: number };
  /** Since when nothing was accepted, and in how many windows in a row that was proved. */
  readonly stalledSince?: number | undefined;
  readonly stalledWindows: number;
  /** Since when the queue was not empty at any look, and whether anything was accepted meanwhile. */
  readonly busySince?: number | undefined;
  readonly accepts: boolean;
}

export const IDLE: AcceptorState = { stalledWindows: 0, accepts: false };

export interface QueueLook {
  readonly monotonic: number;
  readonly length: number;
  /** How long each waiting connection has waited, the longest first; absent where unknown. */
  readonly waits?: Float64Array | undefined;
  /** Rise of PassiveOpens of the namespace since the look before: no listener got more. */
  readonly passiveOpens?: number | undefined;
  /** A sample since the look before saw the queue empty. */
  readonly sawEmpty?: boolean;
}

/** Ages have the grain of a jiffy, and the time of a look is known to some milliseconds. */
const TOLERANCE_MS = 50;

export function followAcceptor(
  state: AcceptorState,
  before: { readonly monotonic: number; readonly length: number } | undefined,
  look: QueueLook,
): AcceptorState {
  if (look.length === 0) return IDLE;
  const aged = agedLook(look);
  if (look.sawEmpty === true) {
    // What was there before has been accepted.
    const accepts = state.accepts || (before?.length ?? 0) > 0;
    return { ...(aged !== undefined && { aged }), busySince: look.monotonic, stalledWindows: 0, accepts };
  }
  const busySince = state.busySince ?? look.monotonic;
  const next = { ...(aged !== undefined && { aged }), busySince };
  // Without ages an older look with them may still prove something later.
  const kept = aged === undefined && state.aged !== undefined ? { ...next, aged: state.aged } : next;
  const verdict = before === undefined ? 'unknown' : judgeWindow(state, before, look);
  if (verdict === 'accepted') return { ...kept, stalledWindows: 0, accepts: true };
  const { accepts, stalledWindows, stalledSince } = state;
  if (verdict === 'unknown') return { ...kept, accepts, stalledWindows, stalledSince };
  // From the first look that saw the queue hold something: before, there was nothing to accept.
  const since =
    stalledSince ??
    (state.busySince === undefined ? busySince : (state.aged?.monotonic ?? before?.monotonic ?? busySince));
  return { ...kept, accepts, stalledWindows: stalledWindows + 1, stalledSince: since };
}

function agedLook({ monotonic, length, waits }: QueueLook): AcceptorState['aged'] {
  const oldestMs = waits?.[0];
  return oldestMs === undefined ? undefined : { monotonic, oldestMs, length };
}

function judgeWindow(
  { aged }: AcceptorState,
  before: { readonly length: number },
  look: QueueLook,
): 'accepted' | 'stalled' | 'unknown' {
  if (look.length < before.length) return 'accepted';
  if (aged !== undefined && look.waits !== undefined) return judgeAges(aged, look, look.waits);
  const { passiveOpens } = look;
  // What came in at most is all in the queue.
  if (passiveOpens !== undefined && passiveOpens <= look.length - before.length) return 'stalled';
  return 'unknown';
}

function judgeAges(aged: NonNullable<AcceptorState['aged']>, look: QueueLook, waits: Float64Array) {
  const elapsed = look.monotonic - aged.monotonic;
  const arrived = countYounger(waits, elapsed - TOLERANCE_MS);
  if (aged.length + arrived > look.length) return 'accepted';
  const headStays = (waits[0] ?? 0) >= aged.oldestMs + elapsed - TOLERANCE_MS;
  return headStays ? 'stalled' : 'unknown';
}

/** Of ages, the longest first: how many are below a limit. */
export function countYounger(waits: Float64Array, limitMs: number): number {
  let low = 0;
  let high = waits.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((waits[middle] ?? 0) < limitMs) high = middle;
    else low = middle + 1;
  }
  return waits.length - low;
}
