/** How long something may take on a machine that is busy with other things, ms: only what never comes is a failure. */
export const PATIENCE_MS = 60_000;
const POLL_MS = 20;

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
