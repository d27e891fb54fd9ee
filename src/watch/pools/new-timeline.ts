const MOST_SPANS = 8;

/**
 * How many connections came in each part of a watch, eight parts at most: when they are full, two become one. Parts count looks, so that
 * those of all pools of a watch are the same.
 */
export class NewTimeline {
  private spans: number[] = [];
  private looks = 1;

  /** `look`: number of the look, from 0. */
  add(look: number, count: number): void {
    if (count === 0) return;
    this.fit(look);
    const span = Math.floor(look / this.looks);
    while (this.spans.length <= span) this.spans.push(0);
    this.spans[span] = (this.spans[span] ?? 0) + count;
  }

  /** Oldest first, up to the look `last`. */
  read(last: number): readonly number[] {
    this.fit(last);
    const length = Math.floor(last / this.looks) + 1;
    return Array.from({ length }, (_, span) => this.spans[span] ?? 0);
  }

  private fit(look: number): void {
    while (look >= this.looks * MOST_SPANS) {
      const { spans } = this;
      this.spans = Array.from(
        { length: Math.ceil(spans.length / 2) },
        (_, span) => (spans[2 * span] ?? 0) + (spans[2 * span + 1] ?? 0),
      );
      this.looks *= 2;
    }
  }
}
