import { Errors, execute, run } from '@oclif/core';
import { endGuard, guardCheck } from './check-guard.js';

/** What bin/run.js starts; `dir`: its address. oclif comes along in one file. */
export async function start(dir: string, argv: readonly string[]): Promise<void> {
  if (argv[0] !== 'check') {
    await execute({ dir });
    return;
  }
  const end = guardCheck(argv);
  try {
    // Not `execute`: what fails while a command is loaded would end with oclif's own status.
    await run([...argv], dir);
    endGuard();
  } catch (error) {
    if (error instanceof Errors.ExitError) process.exit(error.oclif.exit);
    end((error as Error).message);
  }
}
