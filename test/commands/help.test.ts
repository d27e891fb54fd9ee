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
});
