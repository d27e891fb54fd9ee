import { readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SourceError } from '../model/errors.js';
import { type Container, containersIn, type Namespace } from '../model/namespace.js';
import type { FoundNamespace, NamespaceFinder } from './namespaces.js';
import type { Door } from './options.js';
import { inodeOf, mountMark } from './origin.js';

/** Also where it was made anew with the inode of the one before. */
export const isStillThere = ({ place, namespace, mark }: FoundNamespace): boolean =>
  inodeOf(place.path) === namespace.id && mark === mountMark(place);

const SEE = 'see what there is with: sockwatch snapshot --netns all';

/**
 * The namespace of a name, a pid or a path. Names before pids, for a name may be made of digits; then containers, by name or by the beginning of
 * their id. Throws `SourceError` where there is none.
 */
export function findNamespace(asked: string, finder: NamespaceFinder, door: Door): FoundNamespace {
  if (asked.startsWith('/')) return atPath(asked, finder);
  const { found } = finder.find();
  const named = found.find(({ namespace: { name, id } }) => name === asked || id === asked);
  if (named !== undefined) return named;
  if (/^[1-9]\d{0,9}$/.test(asked)) return ofProcess(Number(asked), found, door);
  const inContainer = found.filter(({ namespace }) => hasContainer(namespace, asked));
  const [only, another] = inContainer;
  if (another !== undefined) throw severalFit(asked, inContainer);
  if (only !== undefined) return only;
  throw new SourceError('missing', `no network namespace or container is called "${asked}"`, SEE);
}

/** By its name, or by the beginning of its id. */
const hasContainer = (namespace: Namespace, asked: string): boolean =>
  containersIn(namespace).some(({ name, id }) => isOf({ name, id }, asked));

const isOf = ({ name, id }: { readonly name: string | undefined; readonly id: string }, asked: string) =>
  name === asked || (asked.length >= SHORTEST_ID && id.startsWith(asked));

const MOST_LISTED = 5;

function severalFit(asked: string, found: readonly FoundNamespace[]): SourceError {
  const listed = found.slice(0, MOST_LISTED).map(({ namespace }) => {
    const fit = containersIn(namespace).filter(({ name, id }) => isOf({ name, id }, asked));
    const names = fit.slice(0, MOST_LISTED).map(containerText);
    return `${namespace.id} (${names.join(', ')})`;
  });
  const more = found.length > MOST_LISTED ? ` and ${found.length - MOST_LISTED} more` : '';
  return new SourceError(
    'missing',
    `${found.length} namespaces fit "${asked}": ${listed.join(', ')}${more}`,
    'give more of the id of the container, or the number of the namespace',
  );
}

const containerText = ({ id, name }: Container): string => (name === undefined ? id : `${name} ${id}`);

const SHORTEST_ID = 4;

function atPath(path: string, finder: NamespaceFinder): FoundNamespace {
  const id = inodeOf(path);
  if (id === undefined) throw new SourceError('missing', `${JSON.stringify(path)} could not be read`, SEE);
  // A file of any other kind would only be found out when it is entered.
  if (statSync(path).dev !== statSync('/proc/self/ns/net').dev || isOfAnotherKind(path))
    throw new SourceError('missing', `${JSON.stringify(path)} is no network namespace`, SEE);
  const known = finder.find().found.find(({ namespace }) => namespace.id === id);
  const { mark: _, ...rest } = known ?? {};
  const mark = mountMark({ id, path });
  return {
    ...rest,
    namespace: known?.namespace ?? { id },
    place: { id, path },
    ...(mark !== undefined && { mark }),
  };
}

/** The links of /proc/PID/ns say the kind, as `mnt:[4026531841]`; a file that was mounted does not. */
function isOfAnotherKind(path: string): boolean {
  try {
    const link = readlinkSync(path);
    return /^\w+:\[\d+\]$/.test(link) && !link.startsWith('net:');
  } catch {
    return false; // no link
  }
}

function ofProcess(pid: number, found: readonly FoundNamespace[], { proc }: Door): FoundNamespace {
  const path = join(proc, String(pid), 'ns/net');
  const id = inodeOf(path);
  if (id === undefined) throw notOfProcess(pid, path);
  const known = found.find(({ namespace }) => namespace.id === id);
  return { namespace: known?.namespace ?? { id }, place: { id, path }, pid };
}

function notOfProcess(pid: number, path: string): SourceError {
  try {
    statSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES')
      return new SourceError(
        'permission',
        `the namespace of process ${pid} may not be seen`,
        'run as root, or with CAP_SYS_PTRACE to see it and CAP_SYS_ADMIN to enter it',
      );
  }
  return new SourceError('missing', `there is no process ${pid}`, SEE);
}
