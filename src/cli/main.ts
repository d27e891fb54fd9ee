import * as Errors from '@oclif/core/errors';
import { execute } from '@oclif/core/execute';
import { run } from '@oclif/core/run';
import { endGuard, guardCheck } from './check-guard.js';
import { loadOptionsFor, type OwnPackage } from './own-plugin.js';

/** What bin/run.js starts. oclif comes along in one file. */
export async function start(own: OwnPackage, argv: readonly string[]): Promise<void> {
  const loadOptions = loadOptionsFor(own, argv);
  if (argv[0] !== 'check') {
    await execute({ loadOptions });
    return;
  }
  const end = guardCheck(argv);
  try {
    // Not `execute`: what fails while a command is loaded would end with oclif's own status.
    await run([...argv], loadOptions);
    endGuard();
  } catch (error) {
    if (error instanceof Errors.ExitError) process.exit(error.oclif.exit);
    end((error as Error).message);
  }
}
