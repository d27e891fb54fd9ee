import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { RUN_JS } from '../support/cli.js';

const COMMANDS = ['snapshot', 'live', 'record', 'check', 'pools', 'diagnose', 'pcap', 'capture'];

/** A check guards itself for 10 s before it says that it has not finished. */
const MOST_MS = 8000;

describe('help', () => {
  it.each(COMMANDS)('of %s ends by itself, with examples', (command) => {
    const words = [RUN_JS, command, '--help'];
    const { status, stdout, signal } = spawnSync(process.execPath, words, {
      encoding: 'utf8',
      timeout: MOST_MS,
    });
    expect({ status, signal }).toEqual({ status: 0, signal: null });
    expect(stdout).toContain(`$ sockwatch ${command}`);
    expect(stdout).toContain('EXAMPLES');
  });

  it.each([
    [['pools', 'extra'], 'sockwatch pools: unexpected argument "extra"; see sockwatch pools --help\n'],
    [
      ['diagnose', 'extra'],
      'sockwatch diagnose: unexpected argument "extra"; see sockwatch diagnose --help\n',
    ],
    [['chekc'], 'sockwatch: there is no command "chekc"; see sockwatch --help\n'],
    [
      ['pools', '--hikari', '/dev/null', '--hikari-pid', '4194305'],
      'sockwatch pools: there is no process 4194305; give the pid of one that runs\n',
    ],
  ])('is named where %j is no right use', (words, said) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [RUN_JS, ...words], { encoding: 'utf8' });
    expect({ status, stdout, stderr }).toEqual({
      status: words.length > 2 ? 1 : 2,
      stdout: '',
      stderr: said,
    });
  });
});
