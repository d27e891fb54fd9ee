import { startWatchdog, type Watchdog } from '../collect/watchdog.js';
import { exitCodeOf } from '../model/check.js';
import { nagiosUnknown } from '../render/check/nagios.js';
import { CHECK_FORMATS, type CheckFormat } from './check-formats.js';
import { formatUnknown } from './check-unknown.js';

const UNKNOWN = exitCodeOf('unknown');
export const DEFAULT_TIMEOUT_MS = 10_000;
/** Those that would end the process with a status beyond 3, and that can be heard. */
const SIGNALS = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGALRM',
  'SIGVTALRM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGIO',
  'SIGPWR',
] as const;

/** `--format json`, `--format=json` or `-f json`, as far as it can be seen without reading the rest. */
export function formatAmong(argv: readonly string[]): CheckFormat {
  const at = argv.findIndex((word) => /^(--format|-f)(=|$)/.test(word));
  const value = at < 0 ? undefined : (argv[at]?.split('=')[1] ?? argv[at + 1]);
  return CHECK_FORMATS.find((format) => format === value) ?? 'nagios';
}

/**
 * Before anything else of a check is loaded: a crash, an error that nobody caught and a signal end it with 3. Node's own 1 would be
 * a WARNING that nobody measured. What oclif warns of on stderr would become a mail of cron.
 */
export function guardCheck(argv: readonly string[]): (why: string) => never {
  const end = (why: string): never => {
    try {
      process.stdout.write(formatUnknown(why, formatAmong(argv), '', Date.now()));
    } finally {
      process.exit(UNKNOWN);
    }
  };
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  process.removeAllListeners('warning');
  process.on('uncaughtException', (error) => end(`unexpected ${error.name}: ${error.message}`));
  for (const signal of SIGNALS) process.on(signal, () => end(`ended by ${signal} before it had finished`));
  process.on('exit', endAsUnknown);
  // Not unref: a wait that nothing ends would otherwise end with Node's 13.
  firstTimer = setTimeout(() => end(timeoutText(DEFAULT_TIMEOUT_MS)), DEFAULT_TIMEOUT_MS);
  limitCheck(DEFAULT_TIMEOUT_MS);
  return end;
}

let watchdog: Watchdog | undefined;
let firstTimer: NodeJS.Timeout | undefined;
let hasJudged = false;

/** From here on the status of the process is the one that was measured. */
export function judged(): void {
  hasJudged = true;
}

/** oclif has answered by itself (`--help`): there is no check to guard. */
export function endGuard(): void {
  clearTimeout(firstTimer);
  watchdog?.end();
}

function endAsUnknown(status: number): void {
  if (status !== 0 && !hasJudged) process.exitCode = UNKNOWN;
}

const timeoutText = (timeoutMs: number) => `the check did not finish within ${timeoutMs} ms`;

/** The time that the run has, from now on; the watchdog ends it where it cannot end itself. Gives what is said then. */
export function limitCheck(timeoutMs: number): string {
  const why = timeoutText(timeoutMs);
  const text = nagiosUnknown(why);
  if (watchdog === undefined) watchdog = startWatchdog(timeoutMs, UNKNOWN, text);
  else {
    watchdog.set(timeoutMs, text);
    clearTimeout(firstTimer);
  }
  return why;
}
