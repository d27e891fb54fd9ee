/** So many samples at most: enough for quarters of the watch. */
const MOST = 64;

/** A number over the time of a watch, thinned out as it goes on. */
export class Growth {
  private times: number[] = [];
  private values: number[] = [];
  private leastGap = 0;
  private now = 0;

  /** `at`: monotonic ms. */
  add(at: number, value: number): void {
    this.now = value;
    const last = this.times.at(-1);
    if (last !== undefined && at - last < this.leastGap) return;
    this.times.push(at);
    this.values.push(value);
    if (this.times.length <= MOST) return;
    this.times = this.times.filter((_, index) => index % 2 === 0);
    this.values = this.values.filter((_, index) => index % 2 === 0);
    this.leastGap = ((this.times.at(-1) ?? 0) - (this.times[0] ?? 0)) / (MOST / 2);
  }

  /** The value after the first, second and third quarter of the time until `end`, and the last one. */
  quarters(end: number): readonly number[] {
    const [start = end] = this.times;
    const after = [1, 2, 3].map((quarter) => this.valueAt(start + ((end - start) * quarter) / 4));
    return [...after, this.now];
  }

  private valueAt(at: number): number {
    const next = this.times.findIndex((time) => time > at);
    return this.values.at(next < 0 ? -1 : next - 1) ?? this.now;
  }
}
