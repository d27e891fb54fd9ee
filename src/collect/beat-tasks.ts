import { SourceError } from '../model/errors.js';
import type { BeatTask } from './beat-loop.js';
import { DividedShare } from './beat-share.js';
import { ClosedTask, type ClosedTaskSpec, RowRoom } from './closed-task.js';
import { ListenTask, type ListenTaskSpec } from './listen-task.js';
import { NamespaceError } from './netns-enter.js';
import { monotonicNow } from './origin.js';

/** What the thread of beats can do: a kind for each task, and what it needs. Plain data, for another thread. */
export type BeatTaskSpec = ListenTaskSpec | ClosedTaskSpec;

/** What one task has found since it was asked last. */
export interface ToldByTask {
  readonly key: string;
  readonly batch?: unknown;
  /** Why there is no such task. */
  readonly fault?: string;
  /** Where it was asked for: of which of those that have one inode in turn the fault is. */
  readonly life?: string;
  /** Another namespace might be heard. */
  readonly isOfNamespace?: boolean;
}

type Open = (spec: BeatTaskSpec) => Promise<BeatTask>;

/** The tasks of one thread, by key: some come, and others go. */
export class BeatTasks {
  private readonly tasks = new Map<string, BeatTask>();
  private faults: ToldByTask[] = [];

  constructor(private readonly open: Open) {}

  values(): Iterable<BeatTask> {
    return this.tasks.values();
  }

  /** From now on these: tasks that are not named are closed, and what could not be opened is tried again. Throws no `SourceError`. */
  async follow(specs: readonly BeatTaskSpec[]): Promise<void> {
    const named = new Set(specs.map(({ key }) => key));
    for (const [key, task] of this.tasks) {
      if (named.has(key)) continue;
      this.tasks.delete(key);
      task.close();
    }
    this.faults = [];
    for (const spec of specs) {
      const known = this.tasks.get(spec.key);
      if (known === undefined) await this.start(spec);
      else known.change?.(spec);
    }
  }

  take(now: number): { readonly told: ToldByTask[]; readonly transfer: ArrayBuffer[] } {
    const told = [...this.faults];
    const transfer: ArrayBuffer[] = [];
    for (const [key, task] of this.tasks) {
      const { batch, transfer: buffers = [] } = task.take(now);
      told.push({ key, batch });
      transfer.push(...buffers);
    }
    return { told, transfer };
  }

  close(): void {
    for (const task of this.tasks.values()) task.close();
    this.tasks.clear();
  }

  private async start(spec: BeatTaskSpec): Promise<void> {
    try {
      this.tasks.set(spec.key, await this.open(spec));
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      const isOfNamespace = error instanceof NamespaceError;
      const { key, life } = spec;
      this.faults.push({ key, fault: error.message, isOfNamespace, ...(life !== undefined && { life }) });
    }
  }
}

/** Opens the tasks of one thread, which divide among them what they may take and keep. */
export function taskOpener(periodMs: number): Open {
  const shares = new Map<string, DividedShare>();
  const room = new RowRoom();
  return (spec) => {
    if (spec.kind === 'closed') return ClosedTask.open(monotonicNow(), spec, room);
    const share = shares.get(spec.family) ?? new DividedShare(spec.share, spec.together);
    shares.set(spec.family, share);
    return ListenTask.open(spec, periodMs, share);
  };
}
