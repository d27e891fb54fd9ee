import { execute } from '@oclif/core';
import { guardCheck } from './check-guard.js';

/** What bin/run.js starts; `dir`: its address. oclif comes along in one file. */
export async function start(dir: string, argv: readonly string[]): Promise<void> {
  if (argv[0] === 'check') guardCheck(argv);
  await execute({ dir });
}
