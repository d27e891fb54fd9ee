/** What a task may take of one core. */
export interface Share {
  /** For a task that would need `wanted`. */
  grant(who: object, wanted: number): number;
  leave(who: object): void;
}

/** Of a task alone. */
export const fixedShare = (share: number): Share => ({ grant: () => share, leave: () => {} });

/** After so many questions for each task the level is found anew: what tasks need changes slowly. */
const QUESTIONS = 4;

/**
 * Divides a share among tasks: who needs little gets that, and the others get the same part of what is left. None gets more than `most`,
 * so that a task alone is as if nothing were divided.
 */
export class DividedShare implements Share {
  private readonly wanted = new Map<object, number>();
  private level: number;
  private questions = 0;

  constructor(
    private readonly most: number,
    private readonly together: number,
  ) {
    this.level = most;
  }

  grant(who: object, wanted: number): number {
    const isNew = !this.wanted.has(who);
    this.wanted.set(who, Math.min(wanted, this.most));
    if (isNew || ++this.questions > this.wanted.size * QUESTIONS) this.divide();
    return this.level;
  }

  leave(who: object): void {
    this.wanted.delete(who);
    this.divide();
  }

  private divide(): void {
    this.questions = 0;
    this.level = Math.min(this.most, levelOf([...this.wanted.values()], this.together));
  }
}

/** The part at which all of them together need no more than there is: no limit where that is enough for all. */
export function levelOf(wanted: readonly number[], together: number): number {
  const rising = Float64Array.from(wanted).sort();
  let left = together;
  for (const [at, one] of rising.entries()) {
    const part = left / (rising.length - at);
    if (one > part) return part;
    left -= one;
  }
  return Number.POSITIVE_INFINITY;
}
