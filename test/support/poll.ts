/** How long something may take on a machine that is busy with other things, ms: only what never comes is a failure. */
export const PATIENCE_MS = 60_000;
const POLL_MS = 20;

/** Acts again and again until something is over: however late a busy machine lets it begin, it sees some of it. Gives how often. */
export async function meanwhile(
  running: Promise<unknown>,
  everyMs: number,
  act: () => Promise<unknown>,
): Promise<number> {
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  running.then(end, end);
  let times = 0;
  for (; !isOver; times++) {
    await act();
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  return times;
}

/** Asks until there is an answer. What `ask` throws meanwhile does not count, but is told at the end of `ms`. */
export async function poll<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  what: string,
  ms = PATIENCE_MS,
): Promise<T> {
  const end = Date.now() + ms;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain for ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
