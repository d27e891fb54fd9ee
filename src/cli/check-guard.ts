import { exitCodeOf } from '../model/check.js';
import { CHECK_FORMATS, type CheckFormat } from './check-formats.js';
import { formatUnknown } from './check-unknown.js';

const UNKNOWN = exitCodeOf('unknown');

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
export function guardCheck(argv: readonly string[]): void {
  const end = (why: string) => {
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
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => end(`ended by ${signal} before it had finished`));
}
