import { closeSync, fstatSync, openSync } from 'node:fs';
import { SourceError, type SourceFault } from '../model/errors.js';

/** Where a network namespace can be entered, and which one must be there: a pid or a name may be used again. */
export interface NamespacePlace {
  /** Inode, as text. */
  readonly id: string;
  /** `/proc/812/ns/net`, `/run/netns/web`. */
  readonly path: string;
}

interface Calls {
  setns(fd: number, kind: number): number;
  errno(): number;
}

/** This one namespace cannot be entered: another way of reading sockets would not help. */
export class NamespaceError extends SourceError {}

/** The thread could not come back: whatever it did next would be of another namespace, so it must end. */
export class StrandedError extends Error {
  override readonly name = 'StrandedError';
}

const CLONE_NEWNET = 0x40000000;
const EPERM = 1;
const ENTER = 'run as root or with CAP_SYS_ADMIN';

/**
 * Does something with this thread in another network namespace, and comes back. Only what is synchronous: threads that are started
 * meanwhile, as libuv's for files, would stay there. Throws `NamespaceError`; `StrandedError` where there is no way back.
 */
export function withinNamespace<T>(calls: Calls, { id, path }: NamespacePlace, act: () => T): T {
  const target = openNamespace(path);
  try {
    if (String(fstatSync(target).ino) !== id) throw gone(path);
    // The links of /proc/self are those of the process, whichever thread asks.
    const own = openSync('/proc/thread-self/ns/net', 'r');
    try {
      if (calls.setns(target, CLONE_NEWNET) < 0) throw refused(path, calls.errno());
      const outcome = attempt(act);
      if (calls.setns(own, CLONE_NEWNET) < 0)
        throw new StrandedError(`no way back from ${path} (errno ${calls.errno()})`);
      return outcome();
    } finally {
      closeSync(own);
    }
  } finally {
    closeSync(target);
  }
}

/** What it gave, or what it threw: to be had once the thread is back. */
function attempt<T>(act: () => T): () => T {
  try {
    const value = act();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function openNamespace(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') throw gone(path);
    throw new NamespaceError('permission', `${path} could not be opened (${code})`, ENTER, { cause: error });
  }
}

const gone = (path: string) =>
  new NamespaceError(
    'missing',
    `the network namespace at ${path} is not there any more`,
    'see: ip netns list',
  );

function refused(path: string, errno: number): NamespaceError {
  const [fault, why]: readonly [SourceFault, string] =
    errno === EPERM ? ['permission', 'not allowed'] : ['failed', 'it is no network namespace'];
  return new NamespaceError(fault, `${path} could not be entered: ${why} (errno ${errno})`, ENTER);
}
