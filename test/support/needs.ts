import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

interface Needs {
  /** The test makes network namespaces or reads other users' processes. */
  readonly root?: boolean;
  /** Programs that must be on the PATH. */
  readonly programs?: readonly string[];
  /** Files that must be there, as libraries of Java. */
  readonly files?: readonly string[];
}

/** Why a test cannot run here, or `undefined` where it can: give it to `describe.skipIf` and put it in the title. */
export function needs({ root = false, programs = [], files = [] }: Needs): string | undefined {
  if (root && process.getuid?.() !== 0) return 'needs root';
  const missing = [
    ...programs.filter((program) => !isInstalled(program)),
    ...files.filter((file) => !existsSync(file)),
  ];
  if (missing.length > 0 && process.env.SOCKWATCH_TEST_INSTALL === '1') {
    throw new Error(`the set-up should have installed ${missing.join(', ')}: see scripts/packages.js`);
  }
  if (missing.length > 0) return `needs ${missing.join(', ')}`;
  if (root && !canMakeNamespaces()) return 'needs permission to make network namespaces';
  return undefined;
}

function isInstalled(program: string): boolean {
  return succeeds('sh', ['-c', 'command -v "$1"', 'sh', program]);
}

let namespaces: boolean | undefined;
function canMakeNamespaces(): boolean {
  namespaces ??= succeeds('unshare', ['--net', 'true']);
  return namespaces;
}

function succeeds(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, {
      stdio: 'ignore',
      timeout: 30_000,
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    return true;
  } catch {
    return false;
  }
}
