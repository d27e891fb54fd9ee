import { SourceError } from '../model/errors.js';
import { loadSystemCalls, type SystemCalls } from './netlink-socket.js';

/** Processor time of the thread that asks, ms from any zero. */
export type ThreadClock = () => number;

/** Of the calling thread (include/uapi/linux/time.h). */
const CLOCK_THREAD_CPUTIME_ID = 3;
/** struct timespec of a 64-bit system: seconds and nanoseconds. */
const TIMESPEC_BYTES = 16;
const LOW = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 0 : 1;

/**
 * A clock that stands while its thread has no processor, for 0.6 µs each time. Without koffi, or where the kernel has no such clock, one that goes
 * on. Only for threads that have koffi anyway: to load it takes 8 ms.
 */
export async function threadClock(): Promise<ThreadClock> {
  try {
    const read = clockOf(await loadSystemCalls());
    return read() === undefined ? wallClock : () => read() ?? 0;
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return wallClock;
  }
}

const wallClock: ThreadClock = () => performance.now();

function clockOf(calls: SystemCalls): () => number | undefined {
  const bytes = new Uint8Array(TIMESPEC_BYTES);
  const words = new Uint32Array(bytes.buffer);
  return () => {
    if (calls.clock_gettime(CLOCK_THREAD_CPUTIME_ID, bytes) < 0) return undefined;
    return (words[LOW] ?? 0) * 1000 + (words[2 + LOW] ?? 0) / 1e6;
  };
}
