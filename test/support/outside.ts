import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Namespace } from './netns.js';

const program = fileURLToPath(new URL('programs/outside.py', import.meta.url));

/** A listener in a namespace in which no process lives: its own process is in `home`. */
export async function listenFromOutside(
  namespace: Namespace,
  home: Namespace,
  backlog: number,
): Promise<{ readonly pid: number; readonly port: number; readonly inode: number }> {
  const words = ['-B', program, namespace.path, String(backlog), home.path];
  const child = home.spawn('python3', words, { stdio: 'pipe' });
  const ended = once(child, 'close');
  home.onRemove(async () => {
    child.stdin?.end();
    await ended;
  });
  const first = await Promise.race([once(child.stdout ?? child, 'data'), ended.then(() => undefined)]);
  if (first === undefined) throw new Error('outside.py ended early');
  return { pid: child.pid ?? 0, ...JSON.parse(String(first[0])) };
}
