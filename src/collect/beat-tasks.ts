import type { BeatTask } from './beat-loop.js';
import { ClosedTask } from './closed-task.js';
import { ListenTask, type ListenTaskSpec } from './listen-task.js';
import { monotonicNow } from './origin.js';

/** What the thread of beats can do: a kind for each task, and what it needs. Plain data, for another thread. */
export type BeatTaskSpec = ListenTaskSpec | { readonly kind: 'closed' };

/** Makes the task of a description. Throws `SourceError` where the kernel does not let us. */
export function openBeatTask(spec: BeatTaskSpec, periodMs: number): Promise<BeatTask> {
  switch (spec.kind) {
    case 'listeners':
      return ListenTask.open(spec, periodMs);
    case 'closed':
      return ClosedTask.open(monotonicNow());
  }
}
