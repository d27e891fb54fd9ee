import * as Errors from '@oclif/core/errors';
import { execute } from '@oclif/core/execute';
import { run } from '@oclif/core/run';
import { endGuard, guardCheck } from './check-guard.js';

/** What bin/run.js starts; `root`: the folder of the package. oclif comes along in one file. */
export async function start(root: string, argv: readonly string[]): Promise<void> {
  if (argv[0] !== 'check') {
    await execute({ dir: root });
    return;
  }
  const end = guardCheck(argv);
  try {
    // Not `execute`: what fails while a command is loaded would end with oclif's own status.
    await run([...argv], root);
    endGuard();
  } catch (error) {
    if (error instanceof Errors.ExitError) process.exit(error.oclif.exit);
    end((error as Error).message);
  }
}
