import { ParseError } from '../../model/errors.js';
import type { ProcessFacts, ThreadFacts, ThrottleFacts } from '../../model/processes.js';
import { THREAD_COUNTS } from '../../model/recording.js';
import { millis } from '../../model/units.js';
import { asList, asNumber, asText, Fields } from './fields.js';

/** More than any writer tells: a forged recording ends here. */
const MOST = { processes: 1000, sockets: 65_536 };

/**
 * What the owners of queues did at a look. `before`: at the look before it, for what has not changed since.
 * Throws ParseError that names `where`.
 */
export function readProcesses(
  list: readonly unknown[],
  before: ReadonlyMap<number, ProcessFacts> | undefined,
  where: string,
): ReadonlyMap<number, ProcessFacts> {
  bound(list, MOST.processes, `${where}, processes`);
  return new Map(
    list.map((value, number) => {
      const place = `${where}, process ${number + 1}`;
      const [pid, state, fields] = asList(value, place);
      const known = before?.get(asNumber(pid, place));
      return [asNumber(pid, place), readOne(asText(state, place), Fields.of(fields, place), known)] as const;
    }),
  );
}

function readOne(state: string, fields: Fields, known: ProcessFacts | undefined): ProcessFacts {
  if (!/^[A-Za-z]$/.test(state)) throw new ParseError(fields.where, 'the letter of a state', state);
  return {
    state,
    ...(fields.has('threads') && { threads: readThreads(fields, known) }),
    ...(fields.has('cpu_ms') && { cpuMs: millis(fields.number('cpu_ms')) }),
    ...(fields.has('run_wait_ms') && { runWaitMs: millis(fields.number('run_wait_ms')) }),
    ...(fields.has('throttled') && { throttled: readThrottled(fields) }),
  };
}

function readThreads(fields: Fields, known: ProcessFacts | undefined): ThreadFacts {
  const counts = fields.list('threads').map((count) => asNumber(count, `${fields.where}, threads`));
  const reading = fields.has('reading')
    ? bound(fields.list('reading'), MOST.sockets, `${fields.where}, reading`).map((inode) =>
        asNumber(inode, `${fields.where}, reading`),
      )
    : (known?.threads?.readingFrom ?? []);
  const named = Object.fromEntries(THREAD_COUNTS.map((name, place) => [name, counts[place] ?? 0]));
  return { ...(named as Record<(typeof THREAD_COUNTS)[number], number>), readingFrom: reading };
}

function readThrottled(fields: Fields): ThrottleFacts {
  const [times, ms] = fields.list('throttled').map((one) => asNumber(one, `${fields.where}, throttled`));
  return { times: times ?? 0, ms: millis(ms ?? 0) };
}

function bound(list: readonly unknown[], most: number, where: string): readonly unknown[] {
  if (list.length <= most) return list;
  throw new ParseError(where, `at most ${most}`, String(list.length));
}
