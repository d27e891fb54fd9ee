// npm test: from a fresh clone to the last line `N passed, N failed`. Arguments go to vitest: `npm test -- test/parse`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installDebianPackages } from './packages.js';
import { build, installPackages, requireNode, root, run, say } from './setup.js';

requireNode();
installPackages();
if (process.env.SOCKWATCH_TEST_INSTALL === '1') installDebianPackages();
build();
say('linting (biome)');
run(process.execPath, [bin('@biomejs/biome/bin/biome'), 'check', '.'], { stdio: ['ignore', 2, 2] });
say('checking types (tsc)');
run(process.execPath, [bin('typescript/bin/tsc'), '-p', 'tsconfig.check.json'], { stdio: ['ignore', 2, 2] });
say('running the tests (vitest)');
process.exit(runTests(process.argv.slice(2)));

function bin(path) {
  return join(root, 'node_modules', path);
}

function runTests(args) {
  const folder = mkdtempSync(join(tmpdir(), 'sockwatch-test-'));
  const report = join(folder, 'report.json');
  const vitest = [
    bin('vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...args,
  ];
  const { status } = spawnSync(process.execPath, vitest, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const counts = readCounts(report);
  rmSync(folder, { recursive: true, force: true });
  const failed = status === 0 ? counts.failed : Math.max(1, counts.failed);
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  process.stdout.write(`${counts.passed} passed, ${failed} failed${skipped}\n`);
  return failed === 0 && counts.passed > 0 ? 0 : 1;
}

/** A run that ended without a report counts as one failure. */
function readCounts(report) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
