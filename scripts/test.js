// npm test: from a fresh clone to the last line `N passed, N failed`. Arguments go to vitest: `npm test -- test/parse`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { installDebianPackages } from './packages.js';
import { build, installPackages, requireNode, root, run, say } from './setup.js';

/** More than so many files that fail are no accident. */
const MOST_TRIED_AGAIN = 3;
const REAL = /^test\/(collect|commands|machine|tui)\//;

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
  const first = runVitest(args);
  const again = whatMayBeTriedAgain(first);
  const { counts, failed } = again.length === 0 ? outcomeOf(first) : tryAgain(first, again);
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  process.stdout.write(`${counts.passed} passed, ${failed} failed${skipped}\n`);
  return failed === 0 && counts.passed > 0 ? 0 : 1;
}

/** Runs the tests once: how vitest ended, and what it reports; no report where it ended without one. */
function runVitest(args) {
  const folder = mkdtempSync(join(tmpdir(), 'sockwatch-test-'));
  const path = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${path}`];
  const { status } = spawnSync(process.execPath, [bin('vitest/vitest.mjs'), 'run', ...reporters, ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const report = readReport(path);
  rmSync(folder, { recursive: true, force: true });
  return { status, report };
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** A run that ended without a report, or badly with no test failed, counts as one failure. */
function outcomeOf({ status, report }) {
  if (report === undefined) return { counts: { passed: 0, skipped: 0 }, failed: 1 };
  const { numPassedTests: passed, numFailedTests, numPendingTests: skipped } = report;
  return { counts: { passed, skipped }, failed: status === 0 ? 0 : Math.max(1, numFailedTests) };
}

/**
 * Tests that measure real processes and a real kernel beside other tests: where only few of their files failed, they are run a second
 * time, alone. What fails then has failed; what passes then is named, for it deserves a look all the same.
 */
function whatMayBeTriedAgain({ report }) {
  const files = (report?.testResults ?? []).filter(({ status }) => status === 'failed');
  const failed = files.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName }) => ({ file: relative(root, name), fullName })),
  );
  const areReal = files.every(({ name }) => REAL.test(relative(root, name)));
  const areSome = files.length <= MOST_TRIED_AGAIN && failed.length > 0;
  return areReal && areSome ? failed : [];
}

function tryAgain(first, failed) {
  const files = [...new Set(failed.map(({ file }) => file))];
  const names = failed.map(({ fullName }) => fullName.replace(/[^\w ]/g, '.')).join('|');
  say(`once more, alone: ${files.join(' ')}`);
  const second = runVitest(['--maxWorkers=1', `--testNamePattern=^(${names})$`, ...files]);
  const { counts } = outcomeOf(first);
  const again = outcomeOf(second);
  const missing = failed.length - again.counts.passed;
  if (again.failed > 0 || missing > 0) return { counts, failed: Math.max(again.failed, missing) };
  for (const { file, fullName } of failed)
    say(`failed beside other tests, passed alone: ${file}: ${fullName}`);
  return { counts: { ...counts, passed: counts.passed + failed.length }, failed: 0 };
}
