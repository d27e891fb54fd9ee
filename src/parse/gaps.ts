import type { Gap } from '../model/observation.js';

/** A source with a fault on every line must not grow a list without end. */
export const MAX_GAPS = 1000;

/** Lines that could not be read, at most MAX_GAPS of them and one more that says how many were left out. */
export class GapList {
  private readonly gaps: Gap[] = [];
  private more = 0;

  /** `source` names the input ("ss", "/proc/net/tcp"), `line` counts from 1. */
  constructor(private readonly source: string) {}

  atLine(line: number, expected: string, got: string): void {
    this.add({ what: `${this.source} line ${line}`, why: `expected ${expected}, got ${quote(got)}`, line });
  }

  add(gap: Gap): void {
    if (this.gaps.length < MAX_GAPS) this.gaps.push(gap);
    else this.more++;
  }

  get count(): number {
    return this.gaps.length + this.more;
  }

  /** Forgets the gaps found after `count`: the line will be read again from its start. */
  backTo(count: number): void {
    if (this.more > 0) this.more = Math.max(0, count - MAX_GAPS);
    if (this.gaps.length > count) this.gaps.length = count;
  }

  list(): Gap[] {
    if (this.more === 0) return [...this.gaps];
    const why = `${this.more} more lines could not be read`;
    return [...this.gaps, { what: this.source, why }];
  }
}

const quote = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
