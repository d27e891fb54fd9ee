import type { Interfaces } from '@oclif/core';
import * as Errors from '@oclif/core/errors';
import { flush } from '@oclif/core/flush';
import { handle } from '@oclif/core/handle';
import { run } from '@oclif/core/run';
import { EXIT } from './base-command.js';
import { endGuard, guardCheck } from './check-guard.js';
import { loadOptionsFor, type OwnPackage } from './own-plugin.js';

/** oclif's own words for a word that is no command do not say where the commands are listed. */
async function runOrSay(argv: readonly string[], loadOptions: Interfaces.Options): Promise<void> {
  try {
    await run([...argv], loadOptions);
    flush();
  } catch (error) {
    const unknown = /^command (\S+) not found$/.exec((error as Error).message)?.[1];
    if (unknown === undefined) return handle(error as Error);
    process.stderr.write(`sockwatch: there is no command ${JSON.stringify(unknown)}; see sockwatch --help\n`);
    process.exitCode = EXIT.usage;
  }
}

/** What bin/run.js starts. oclif comes along in one file. */
export async function start(own: OwnPackage, argv: readonly string[]): Promise<void> {
  const loadOptions = loadOptionsFor(own, argv);
  if (argv[0] !== 'check') {
    await runOrSay(argv, loadOptions);
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
