import { closeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { SourceError, type SourceFault } from '../model/errors.js';
import type { Gap, NetnsMark } from '../model/observation.js';
import { SocketTable, type TableParts } from '../model/table.js';
import type { DumpName } from '../parse/netlink/index.js';
import type { DumpLook, DumpTask } from './netlink-dump.js';
import { NamespaceError } from './netns-enter.js';

/** What the thread sends back: the columns, whose buffers it hands over, or why there are none. */
export type DumpReply =
  | {
      readonly kind: 'sockets';
      readonly parts: TableParts;
      readonly gaps: readonly Gap[];
      /** Files that were asked for, by path below /proc; those that could not be read are left out. */
      readonly texts: Readonly<Record<string, string>>;
      readonly unlisted: readonly DumpName[];
      readonly netnsMark?: NetnsMark;
    }
  | {
      readonly kind: 'fault';
      readonly fault: SourceFault;
      readonly message: string;
      readonly remedy: string | undefined;
      readonly isOfNamespace: boolean;
    };

export interface HelperLook extends DumpLook {
  readonly texts: Readonly<Record<string, string>>;
}

/** Sent between: a descriptor that the thread has opened, or is about to close. */
export interface DescriptorNews {
  readonly kind: 'opened' | 'closing';
  readonly fd: number;
}

/** How long the thread may take longer than its own limit. */
const GRACE_MS = 1000;

/** A thread that asks the kernel for what takes long, so that the screen never waits for it. It keeps no process alive. */
export class DumpHelper {
  private worker: Worker | undefined;

  private start(): Worker {
    if (this.worker !== undefined) return this.worker;
    const worker = new Worker(new URL('../collect/netlink-worker.js', import.meta.url), {
      stdin: false,
      // Columns live outside the heap: what the thread keeps there is code.
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    const forget = () => {
      if (this.worker === worker) this.worker = undefined;
    };
    const open = new Set<number>();
    worker.on('message', (news: DescriptorNews | DumpReply) => {
      if (news.kind === 'opened') open.add(news.fd);
      else if (news.kind === 'closing') open.delete(news.fd);
    });
    worker.once('error', forget);
    worker.once('exit', () => {
      forget();
      for (const fd of open) closeSync(fd);
    });
    worker.unref();
    this.worker = worker;
    return worker;
  }

  /** `undefined`: the thread cannot be had, or has failed. Throws `SourceError`, or the reason of the signal. */
  async run(task: DumpTask, signal?: AbortSignal): Promise<HelperLook | undefined> {
    signal?.throwIfAborted();
    const worker = this.start();
    worker.ref();
    const reply = await replyOf(worker, task, signal)
      .catch((error: unknown) => {
        // Its answer may still come, and would be taken for that of the next question.
        this.end();
        throw error;
      })
      .finally(() => worker.unref());
    if (reply === undefined) return undefined;
    if (reply.kind === 'fault') {
      const { fault, message, remedy, isOfNamespace } = reply;
      throw new (isOfNamespace ? NamespaceError : SourceError)(fault, message, remedy);
    }
    const { kind: _, parts, ...rest } = reply;
    return { sockets: SocketTable.fromParts(parts), ...rest };
  }

  private end(): void {
    void this.worker?.terminate();
    this.worker = undefined;
  }
}

function replyOf(
  worker: Worker,
  task: DumpTask,
  signal: AbortSignal | undefined,
): Promise<DumpReply | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      worker.off('message', onMessage).off('error', onFailure).off('exit', onFailure);
      action();
    };
    const onMessage = (reply: DumpReply | DescriptorNews) => {
      if (reply.kind === 'sockets' || reply.kind === 'fault') settle(() => resolve(reply));
    };
    const onFailure = () => settle(() => resolve(undefined));
    const onAbort = () => settle(() => reject(signal?.reason));
    const onTimeout = () =>
      settle(() => reject(new SourceError('timeout', 'sock_diag gave no answer in time', 'raise --timeout')));
    const timer = setTimeout(onTimeout, task.timeoutMs + GRACE_MS);
    signal?.addEventListener('abort', onAbort, { once: true });
    worker.on('message', onMessage).on('error', onFailure).on('exit', onFailure);
    worker.postMessage(task);
  });
}
