import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** What is larger was not written by us. */
const MOST_BYTES = 16 << 20;
const NAME = 'sockwatch';

/** Where state may be kept, the best first: systemd's, root's, the user's own. */
export function stateFolders(env: NodeJS.ProcessEnv, uid: number | undefined): string[] {
  const { STATE_DIRECTORY, XDG_STATE_HOME, HOME } = env;
  const folders: string[] = [];
  if (STATE_DIRECTORY) folders.push(STATE_DIRECTORY.split(':')[0] ?? STATE_DIRECTORY);
  if (uid === 0) return [...folders, join('/var/lib', NAME)];
  if (XDG_STATE_HOME?.startsWith('/')) folders.push(join(XDG_STATE_HOME, NAME));
  const home = HOME?.startsWith('/') ? HOME : homeOf();
  if (home !== undefined) folders.push(join(home, '.local/state', NAME));
  return folders;
}

/** Of the password database: cron may set no HOME. */
function homeOf(): string | undefined {
  try {
    const home = homedir();
    return home.startsWith('/') && home !== '/' ? home : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The text of a small regular file; `undefined` where there is none. Neither a pipe nor a device is waited for.
 * `owner`: a file of that user only. Throws the system's error, or one that says what the file is instead.
 */
export function readSmallFile(path: string, mostBytes = MOST_BYTES, owner?: number): string | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new Error('it is no regular file');
    if (owner !== undefined && stat.uid !== owner) throw new Error(`it is not of user ${owner}`);
    if (stat.size > mostBytes) throw new Error(`it is larger than ${mostBytes >> 20} MiB`);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

export interface ReplaceOptions {
  readonly mode: number;
  /** A folder that is missing is made, for its owner only; else that is an error. */
  readonly makeFolder?: boolean;
}

/**
 * Replaces a file as a whole: readers see the old one or the new one, also after a crash. A link is followed; what is no regular file
 * (a device, a pipe) is left alone. Throws the system's error (read-only, full, no permission) or one that says what is there instead.
 */
export function replaceFile(named: string, text: string, { mode, makeFolder = false }: ReplaceOptions): void {
  const path = placeOf(named);
  if (makeFolder) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = join(dirname(path), `.${NAME}-${process.pid}-${Date.now().toString(36)}.tmp`);
  const file = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
  try {
    try {
      // Whatever the umask of cron is: node_exporter is another user.
      fchmodSync(file, mode);
      writeAll(file, Buffer.from(text));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    unlinkQuietly(temporary);
    throw error;
  }
}

/** Where the bytes belong: behind a link the file that it names. */
function placeOf(named: string): string {
  const there = statSync(named, { throwIfNoEntry: false });
  if (there === undefined) return named;
  if (!there.isFile()) throw new Error('it is no regular file');
  return realpathSync(named);
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone, or the disk is.
  }
}
