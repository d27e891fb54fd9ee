import type { Interfaces } from '@oclif/core';
import * as Errors from '@oclif/core/errors';
import { execute } from '@oclif/core/execute';
import { run } from '@oclif/core/run';
import { endGuard, guardCheck } from './check-guard.js';

/** The package that bin/run.js stands in. */
export interface Package {
  readonly root: string;
  readonly pjson: Interfaces.PJSON;
}

/** What bin/run.js starts. oclif comes along in one file. */
export async function start(own: Package, argv: readonly string[]): Promise<void> {
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

const PLUGIN = '@oclif/plugin-';

/**
 * What oclif reads before the command: the plugins only for their own commands, which are called as they are, and for the list of all.
 * Nobody installs further ones.
 */
export function loadOptionsFor({ root, pjson }: Package, [word = '--help']: readonly string[]) {
  const plugins = pjson.oclif.plugins ?? [];
  const isTheirs = plugins.includes(`${PLUGIN}${word.split(':', 1)[0]}`);
  const isOurs = !isTheirs && (!word.startsWith('-') || word === '--version');
  const oclif = isOurs ? { ...pjson.oclif, plugins: [] } : pjson.oclif;
  return { root, pjson: { ...pjson, oclif }, devPlugins: false, userPlugins: false };
}
