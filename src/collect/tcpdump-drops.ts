const DROPPED = /(\d+) packets? dropped by kernel/g;

/** The last count of packets that the kernel dropped, in what tcpdump said; undefined where it has said none. */
export function droppedIn(stderr: string): number | undefined {
  const last = [...stderr.matchAll(DROPPED)].at(-1)?.[1];
  return last === undefined ? undefined : Number(last);
}

/** Tells of packets that are dropped while tcpdump runs, each time there are more. */
export class DropWatch {
  private told = 0;

  constructor(private readonly onNote: (text: string) => void) {}

  /** `stderr`: the end of what tcpdump has said so far. */
  look(stderr: string): void {
    const dropped = droppedIn(stderr);
    if (dropped === undefined || dropped <= this.told) return;
    const more = dropped - this.told;
    this.told = dropped;
    this.onNote(
      `the kernel dropped ${more} packets that tcpdump was too slow for, ${dropped} in all: connections miss packets; narrow it with --port or --expression`,
    );
  }
}
