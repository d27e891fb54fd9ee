// What a fresh clone needs before it can run: packages and a build.
// Plain JavaScript on Node alone, for it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const installedMark = join(root, 'node_modules', '.sockwatch-installed');
const builtMark = join(root, 'dist', '.built');

/** Progress goes to stderr: what a command prints on stdout stays its own. */
export const say = (text) => process.stderr.write(`sockwatch: ${text}\n`);

/** Runs a program with this terminal; ends the script with its status when it fails. */
export function run(program, args, options = {}) {
  const { status, error, signal } = spawnSync(program, args, { cwd: root, stdio: 'inherit', ...options });
  if (error) {
    say(`${program} could not be started: ${error.message}`);
    process.exit(1);
  }
  if (status !== 0) {
    say(`${program} ${args.join(' ')} failed (${signal ?? `status ${status}`})`);
    process.exit(status ?? 1);
  }
}

export function requireNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= 20) return;
  say(`Node 20 or newer is needed, this is ${process.versions.node}`);
  process.exit(1);
}

/** Installs what package-lock.json names, unless that was done already. */
export function installPackages() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(installedMark) && readFileSync(installedMark, 'utf8') === wanted) return;
  say('installing packages (npm ci)');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { stdio: ['ignore', 2, 2] });
  writeFileSync(installedMark, wanted);
}

/** Bundles src into dist, unless dist is newer than every source. Types are checked by the tests. */
export function build({ always = false } = {}) {
  if (!always && existsSync(builtMark) && statSync(builtMark).mtimeMs > newestSource()) return;
  say('building (esbuild)');
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  for (const script of ['bundle.js', 'manifest.js']) {
    run(process.execPath, [join(root, 'scripts', script)], { stdio: ['ignore', 2, 2] });
  }
  writeFileSync(builtMark, '');
}

function newestSource() {
  const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const others = [
    'package.json',
    'tsconfig.json',
    'scripts/bundle.js',
    'scripts/edit-text.js',
    'scripts/keep-consts.js',
    'scripts/lazy-requires.js',
    'scripts/manifest.js',
    'scripts/slim-oclif.js',
    'scripts/to-commonjs.js',
  ].map((file) => join(root, file));
  return Math.max(...[...sources, ...others].map((file) => statSync(file).mtimeMs));
}
