import type { TableObservation } from '../../model/observation.js';
import type { ProcessFacts, ThreadFacts } from '../../model/processes.js';
import { THREAD_COUNTS } from '../../model/recording.js';

/** More than that stand behind one listener that many workers share: they all do the same. */
const MOST_PROCESSES = 16;

/**
 * What the owners of queues do, from one look to the next: their states and times, and what their threads wait to read from where that has
 * changed. There are no names in it.
 */
export class ProcessEncoder {
  /** Sockets that threads read from, as they were told last. */
  private reading = new Map<number, string>();

  /** The list of a frame; `undefined` where nothing is known of any. */
  list(processes: TableObservation['processes']): readonly unknown[] | undefined {
    const told = [...(processes ?? [])].slice(0, MOST_PROCESSES);
    const before = this.reading;
    this.reading = new Map();
    if (told.length === 0) return undefined;
    return told.map(([pid, facts]) => {
      const sockets = JSON.stringify(facts.threads?.readingFrom ?? []);
      this.reading.set(pid, sockets);
      return [pid, facts.state, fieldsOf(facts, sockets !== (before.get(pid) ?? '[]'))];
    });
  }
}

const fieldsOf = ({ threads, cpuMs, runWaitMs, throttled }: ProcessFacts, withSockets: boolean) => ({
  ...(threads && { threads: countsOf(threads) }),
  ...(threads && withSockets && { reading: threads.readingFrom }),
  ...(cpuMs !== undefined && { cpu_ms: Math.round(cpuMs) }),
  ...(runWaitMs !== undefined && { run_wait_ms: Math.round(runWaitMs) }),
  ...(throttled && { throttled: [throttled.times, Math.round(throttled.ms)] }),
});

const countsOf = (threads: ThreadFacts): readonly number[] => THREAD_COUNTS.map((name) => threads[name]);
