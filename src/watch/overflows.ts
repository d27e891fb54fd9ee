/** What a window has: rise of ListenOverflows, and of the drops of each listener whose drops rose. */
interface Part {
  readonly overflows: number;
  readonly drops: ReadonlyMap<string, number>;
}

export interface OverflowState {
  /** The window before, where it was not attributed: counters are read a moment before the sockets. */
  readonly before?: Part | undefined;
  /** The listener that the window before was attributed to. */
  readonly holder?: string | undefined;
  /** Whether the last three windows had overflows that no listener could be named for. */
  readonly unattributed: readonly boolean[];
}

export const NO_OVERFLOWS: OverflowState = { unattributed: [] };

export interface Attribution {
  readonly state: OverflowState;
  /** The listener that had the overflows, and how many. */
  readonly holder?: { readonly key: string; readonly overflows: number };
  /** Overflows that may be of several listeners. */
  readonly unattributed: number;
  /** Keys of the listeners that dropped segments. */
  readonly droppers: readonly string[];
}

/**
 * Names the listener that overflowed, only where exactly one listener dropped segments, and between one and two for each overflow
 * (KERNEL.md 4): in this window, or in this one and the one before, for what falls between reading counters and sockets.
 * Where several dropped, and samples saw exactly one of them full, it is that one, if its drops fit.
 * @param overflows rise of ListenOverflows in the namespace
 * @param drops rise of each listener's dropped segments, by key; those that did not rise are left out
 * @param full keys of the listeners that samples saw full in this window
 */
export function attributeOverflows(
  { before, holder, unattributed }: OverflowState,
  overflows: number | undefined,
  drops: ReadonlyMap<string, number>,
  full: ReadonlySet<string> = new Set(),
): Attribution {
  const droppers = [...drops.keys()].sort();
  if (overflows === undefined) return { state: NO_OVERFLOWS, unattributed: 0, droppers };
  const part = { overflows, drops };
  const found =
    onlyHolder(part) ?? onlyHolder(join(before, part)) ?? sameHolder(holder, part) ?? onlyFull(part, full);
  const left = found === undefined ? overflows : 0;
  const state = {
    unattributed: [...unattributed, left > 0].slice(-3),
    ...(found === undefined && (left > 0 || drops.size > 0) && { before: part }),
    ...(found !== undefined && { holder: found.key }),
  };
  return { state, unattributed: left, droppers, ...(found !== undefined && { holder: found }) };
}

function onlyHolder(part: Part | undefined): { key: string; overflows: number } | undefined {
  if (part === undefined || part.overflows === 0) return undefined;
  const [only, another] = part.drops;
  if (only === undefined || another !== undefined) return undefined;
  const [key, dropped] = only;
  const { overflows } = part;
  return dropped >= overflows && dropped <= 2 * overflows ? { key, overflows } : undefined;
}

/** Segments are dropped for other reasons too (KERNEL.md 4); an overflow needs a full queue. */
function onlyFull({ overflows, drops }: Part, full: ReadonlySet<string>) {
  const left = new Map([...drops].filter(([key]) => full.has(key)));
  return onlyHolder({ overflows, drops: left });
}

/** While overflows go on, a few always fall between the two readings. */
function sameHolder(holder: string | undefined, { overflows, drops }: Part) {
  if (holder === undefined || overflows === 0 || drops.size !== 1) return undefined;
  const dropped = drops.get(holder) ?? 0;
  return dropped > 0 ? { key: holder, overflows: Math.min(overflows, dropped) } : undefined;
}

function join(before: Part | undefined, now: Part): Part | undefined {
  if (before === undefined) return undefined;
  const drops = new Map(before.drops);
  for (const [key, dropped] of now.drops) drops.set(key, (drops.get(key) ?? 0) + dropped);
  return { overflows: before.overflows + now.overflows, drops };
}
