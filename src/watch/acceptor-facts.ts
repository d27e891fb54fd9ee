import type { TableObservation } from '../model/observation.js';
import type { AcceptorFacts, ProcessFacts } from '../model/processes.js';
import type { Owner } from '../model/sockets.js';

/** What the owners of queues did at the last look that showed it. */
export interface KeptProcesses {
  readonly monotonic: number;
  readonly processes: NonNullable<TableObservation['processes']>;
}

/** The owners of one listener, with what they did since the look before; those that could not be read are missing. */
export function acceptorsOf(
  owners: readonly Owner[] | undefined,
  { processes, origin }: TableObservation,
  before: KeptProcesses | undefined,
): AcceptorFacts[] {
  const byPid = new Map((owners ?? []).map((owner) => [owner.pid, owner]));
  return [...byPid.values()].flatMap((owner): AcceptorFacts[] => {
    const now = processes?.get(owner.pid);
    if (now === undefined) return [];
    const then = before?.processes.get(owner.pid);
    const windowMs = origin.monotonic - (before?.monotonic ?? origin.monotonic);
    return [
      { owner, now, ...(then !== undefined && windowMs > 0 && { since: between(then, now, windowMs) }) },
    ];
  });
}

function between(
  then: ProcessFacts,
  now: ProcessFacts,
  windowMs: number,
): NonNullable<AcceptorFacts['since']> {
  const cpuMs = rise(then.cpuMs, now.cpuMs);
  const runWaitMs = rise(then.runWaitMs, now.runWaitMs);
  const throttledTimes = rise(then.throttled?.times, now.throttled?.times);
  const throttledMs = rise(then.throttled?.ms, now.throttled?.ms);
  return {
    windowMs,
    ...(cpuMs !== undefined && { cpus: cpuMs / windowMs }),
    ...(runWaitMs !== undefined && { runWaitMs }),
    ...(throttledTimes !== undefined && { throttledTimes }),
    ...(throttledMs !== undefined && { throttledMs }),
  };
}

/** Threads that ended took their times with them, a group may be another: nothing can be told then. */
function rise(then: number | undefined, now: number | undefined): number | undefined {
  if (then === undefined || now === undefined || now < then) return undefined;
  return now - then;
}
