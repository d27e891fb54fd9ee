import { spawnSync } from 'node:child_process';

/** Milliseconds of one measure over several runs. */
export interface Times {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export interface Contestant {
  readonly name: string;
  readonly command: readonly string[];
}

/** Times whole processes, their output thrown away; the contestants take turns, so that a drift of the machine hits all alike. */
export function race(contestants: readonly Contestant[], runs: number): Map<string, Times> {
  const times = new Map(contestants.map(({ name }) => [name, [] as number[]]));
  for (let run = 0; run <= runs; run++) {
    for (const { name, command } of contestants) {
      const took = timeOnce(command);
      // The first round warms the caches.
      if (run > 0) times.get(name)?.push(took);
    }
  }
  return new Map([...times].map(([name, values]) => [name, summarise(values)]));
}

export function timeOnce([file = '', ...args]: readonly string[]): number {
  const start = performance.now();
  const { status, error } = spawnSync(file, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  if (error !== undefined || status !== 0)
    throw new Error(`${[file, ...args].join(' ')} failed`, { cause: error });
  return performance.now() - start;
}

export function summarise(values: readonly number[]): Times {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { min: at(0), median: at(0.5), max: at(1) };
}
