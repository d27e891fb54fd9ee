import type { Options, ResultPromise } from 'execa';
import { SourceError } from '../model/errors.js';
import { noteOwnSocket } from './own-sockets.js';

export interface RunRequest {
  readonly program: string;
  readonly args: readonly string[];
  /** Receives stdout as it comes; what it throws ends the program and becomes the error of the run. */
  readonly onStdout: (chunk: Uint8Array) => void;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Directories to search, as in PATH. */
  readonly path: string;
}

export interface RunResult {
  readonly exitCode: number;
  /** The first 4 KiB; all of it is read, so that a noisy program never blocks. */
  readonly stderr: string;
}

/** The one way in which sockets are read from a program: collectors take it as an argument. */
export type Run = (request: RunRequest) => Promise<RunResult>;

const STDERR_KEPT_BYTES = 4096;
const AFTER_KILL_MS = 250;

let execaModule: Promise<typeof import('execa')> | undefined;

/** Importing execa takes 70 ms: call this early, and do something else meanwhile. */
export function preloadRun(): Promise<typeof import('execa')> {
  execaModule ??= import('execa');
  return execaModule;
}

/**
 * Runs a program without a shell, in the C locale, and ends it with SIGKILL after the timeout, on abort and with this process.
 * Throws `SourceError` (`missing`, `permission`, `timeout`, `killed`), or the reason of the signal; exit codes are the caller's.
 */
export const run: Run = async (request) => {
  request.signal?.throwIfAborted();
  const { execa } = await preloadRun();
  request.signal?.throwIfAborted();
  const child = execa(request.program, request.args, childOptions(request));
  for (const stream of [child.stdout, child.stderr]) noteOwnSocket(stream);
  const streams = drain(child, request.onStdout);
  endStreamsAfterExit(child, request.timeoutMs);
  const result = await child;
  if (streams.thrown !== undefined) throw streams.thrown;
  request.signal?.throwIfAborted();
  if (result.timedOut) throw timedOut(request);
  if (result.signal !== undefined) throw killedBy(request.program, result.signal);
  if (result.exitCode === undefined) throw notStarted(request.program, result.code, result.originalMessage);
  return { exitCode: result.exitCode, stderr: wholeLines(Buffer.concat(streams.stderr)) };
};

const childOptions = (request: RunRequest) =>
  ({
    buffer: false,
    encoding: 'buffer',
    stdin: 'ignore',
    reject: false,
    // A deleted working directory would look like a missing program.
    cwd: '/',
    env: { PATH: request.path, LC_ALL: 'C' },
    timeout: request.timeoutMs,
    killSignal: 'SIGKILL',
    ...(request.signal !== undefined && { cancelSignal: request.signal }),
  }) satisfies Options;

type Child = ResultPromise<ReturnType<typeof childOptions>>;

function drain(child: Child, onStdout: (chunk: Uint8Array) => void) {
  const streams: { stderr: Uint8Array[]; thrown?: unknown } = { stderr: [] };
  let kept = 0;
  child.stdout.on('data', (chunk: Uint8Array) => {
    if (streams.thrown !== undefined) return;
    try {
      onStdout(chunk);
    } catch (error) {
      streams.thrown = error;
      child.kill('SIGKILL');
    }
  });
  child.stderr.on('data', (chunk: Uint8Array) => {
    if (kept >= STDERR_KEPT_BYTES) return;
    streams.stderr.push(chunk.subarray(0, STDERR_KEPT_BYTES - kept));
    kept += chunk.length;
  });
  return streams;
}

/**
 * A grandchild may hold the pipes open after the program has ended (a wrapper script around a hanging ss): do not wait for it
 * for ever. After an end by signal what is still to be read does not count; after a good one it does, however busy we are.
 */
function endStreamsAfterExit(child: Child, timeoutMs: number): void {
  child.once('exit', (_exitCode: number | null, signal: string | null) => {
    const destroy = () => {
      child.stdout.destroy();
      child.stderr.destroy();
    };
    setTimeout(destroy, signal === null ? timeoutMs : AFTER_KILL_MS).unref();
  });
}

/** What was kept ends with a whole line: half a line could be taken for another message. */
function wholeLines(stderr: Buffer): string {
  const isCut = stderr.length === STDERR_KEPT_BYTES;
  return stderr.subarray(0, isCut ? stderr.lastIndexOf(10) + 1 || undefined : undefined).toString();
}

const timedOut = ({ program, timeoutMs }: RunRequest) =>
  new SourceError(
    'timeout',
    `${program} did not finish within ${timeoutMs} ms and was ended`,
    'give it longer with --timeout, or look for what blocks it',
  );

const killedBy = (program: string, signal: string) =>
  new SourceError(
    'killed',
    `${program} was ended by ${signal} before it had finished`,
    'look in the kernel log for the out-of-memory killer',
  );

function notStarted(program: string, code: string | undefined, message: string | undefined): SourceError {
  if (code === 'ENOENT')
    return new SourceError('missing', `${program} was not found`, remedyMissing(program));
  if (code === 'EACCES' || code === 'EPERM') {
    return new SourceError(
      'permission',
      `${program} may not be started by this user`,
      'check its permissions',
    );
  }
  return new SourceError('failed', `${program} could not be started: ${message ?? code ?? 'unknown reason'}`);
}

const remedyMissing = (program: string): string =>
  program === 'ss' ? 'install iproute2 (Debian, Ubuntu) or iproute (Fedora)' : 'check the name and the PATH';
