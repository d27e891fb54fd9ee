import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Namespace } from './netns.js';

const program = fileURLToPath(new URL('programs/odd_sockets.py', import.meta.url));

/** Fills a namespace with one socket of every kind, which stand still until it is removed. */
export async function standOddSockets(namespace: Namespace): Promise<void> {
  const child = namespace.spawn('python3', ['-B', program], { stdio: 'pipe' });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  const ended = once(child, 'close');
  namespace.onRemove(async () => {
    child.stdin?.end();
    await ended;
  });
  const first = await Promise.race([once(child.stdout ?? child, 'data'), ended.then(() => undefined)]);
  if (first === undefined) throw new Error(`odd_sockets.py ended early: ${said}`);
}
