import { SourceError } from '../model/errors.js';
import type { DumpHelper } from './netlink-helper.js';
import { NamespaceError, type NamespacePlace } from './netns-enter.js';
import type { Run, RunRequest } from './run.js';

/** Another network namespace than that of sockwatch, and what looks into it. */
export interface Inside {
  readonly place: NamespacePlace;
  /** A process in it, whose /proc/PID/net can be read where nothing else can; absent: it has none. */
  readonly pid: number | undefined;
  /** The one thread for all namespaces. */
  readonly helper: DumpHelper;
  /** Files of procfs that are read there with each look: `net/netstat`, `sys/net/core/somaxconn`. */
  readonly files: readonly string[];
}

/** Runs programs there. Not `ip netns exec`: its own /sys makes `ss -e` slow and noisy (KERNEL.md 8). */
export const runInside =
  (run: Run, { place }: Inside): Run =>
  async (request) => {
    const result = await run(entering(request, place));
    const refusal = /^nsenter: (.*)/m.exec(result.stderr)?.[1];
    if (result.exitCode !== 0 && refusal !== undefined) throw refused(place, request.program, refusal);
    return result;
  };

const entering = (request: RunRequest, { path }: NamespacePlace): RunRequest => ({
  ...request,
  program: 'nsenter',
  args: [`--net=${path}`, '--', request.program, ...request.args],
});

function refused({ path }: NamespacePlace, program: string, why: string): SourceError {
  if (/^failed to execute/.test(why))
    return new SourceError(
      'missing',
      `${program} was not found`,
      'install iproute2 (Debian, Ubuntu) or iproute (Fedora)',
    );
  if (/not permitted|permission denied/i.test(why))
    return new NamespaceError('permission', `${path} could not be entered: not allowed`, ENTER);
  if (/no such file/i.test(why) && why.includes(path))
    return new NamespaceError('missing', `the network namespace at ${path} is not there any more`);
  return new NamespaceError('failed', `nsenter could not run there: ${why}`);
}

const ENTER = 'run as root or with CAP_SYS_ADMIN';

/** Texts of files of procfs as they are there: grep says of each line which file it is of. What cannot be read is left out. */
export async function readFilesInside(
  run: Run,
  inside: Inside,
  files: readonly string[],
  request: Pick<RunRequest, 'timeoutMs' | 'signal' | 'path'>,
): Promise<Record<string, string>> {
  if (files.length === 0) return {};
  const paths = files.map((file) =>
    file.startsWith('net/') ? `/proc/thread-self/${file}` : `/proc/${file}`,
  );
  const chunks: Uint8Array[] = [];
  await runInside(
    run,
    inside,
  )({
    ...request,
    program: 'grep',
    args: ['-sH', '', ...paths],
    onStdout: (chunk) => void chunks.push(chunk),
  });
  const texts: Record<string, string> = {};
  for (const line of Buffer.concat(chunks).toString().split('\n')) {
    const at = paths.findIndex((path) => line.startsWith(`${path}:`));
    const file = files[at];
    if (file !== undefined) texts[file] = `${texts[file] ?? ''}${line.slice((paths[at]?.length ?? 0) + 1)}\n`;
  }
  return texts;
}
