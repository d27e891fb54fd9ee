import { spawn } from '@lydell/node-pty';
import { describe, expect, it } from 'vitest';
import { RUN_JS } from '../support/cli.js';
import { needs } from '../support/needs.js';
import { PATIENCE_MS } from '../support/poll.js';

/** The command in a terminal of its own, until it ends; `keys` are typed when `cue` has appeared. */
function inTerminal(
  args: readonly string[],
  env: { readonly [name: string]: string },
  typing?: { readonly cue: RegExp; readonly keys: string },
): Promise<{ code: number; output: string }> {
  const inherited = { ...process.env };
  for (const name of ['NO_COLOR', 'FORCE_COLOR', 'TERM']) delete inherited[name];
  // node-pty sets a TERM where there is none: env(1) takes it away again.
  const unset = env.TERM === undefined ? ['-u', 'TERM'] : [];
  const terminal = spawn('env', [...unset, process.execPath, RUN_JS, ...args], {
    cols: 200,
    rows: 40,
    env: { ...inherited, ...env },
  });
  let output = '';
  let typed = false;
  terminal.onData((data) => {
    output += data;
    if (typing === undefined || typed || !typing.cue.test(output)) return;
    typed = true;
    terminal.write(typing.keys);
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      terminal.kill('SIGKILL');
      reject(new Error(`did not end: ${JSON.stringify(output)}`));
    }, PATIENCE_MS);
    terminal.onExit(({ exitCode }) => {
      clearTimeout(timer);
      resolve({ code: exitCode, output });
    });
  });
}

const DEMO = ['--demo', '--demo-cycle', '3s', '--interval', '100ms'];
const reason = needs({ programs: ['ss'] });

describe('live in a terminal that has no screen', () => {
  it.each([
    ['TERM=dumb cannot show a full screen', { TERM: 'dumb' }],
    ['TERM is not set', {}],
  ])('ends with 2 and points to what works: %s', async (why, env) => {
    const { code, output } = await inTerminal(['live'], env);
    expect(code).toBe(2);
    expect(output.trim()).toBe(
      `sockwatch live: no screen here: ${why}; use --format lines, or sockwatch snapshot; see sockwatch live --help`,
    );
  });
});

describe.skipIf(reason)(`live --format lines in a terminal${reason ? ` (skipped: ${reason})` : ''}`, () => {
  const lines = ['live', '--format', 'lines', ...DEMO];

  it('colours, rings the bell for an alert, and ends by Ctrl-C', async () => {
    const typing = { cue: /overflow/, keys: '\x03' };
    const { code, output } = await inTerminal([...lines, '--bell'], { TERM: 'xterm-256color' }, typing);
    expect(code).toBe(130);
    expect(output).toContain('\x07');
    expect(output).toContain('\x1b[1;37;41m');
    expect(output).not.toContain('\x1b[?');
  });

  it.each([
    ['NO_COLOR', [], { TERM: 'xterm', NO_COLOR: '1' }],
    ['--no-color', ['--no-color'], { TERM: 'xterm' }],
    ['TERM=dumb', [], { TERM: 'dumb' }],
  ] as const)('writes no escape with %s', async (_name, args, env) => {
    const typing = { cue: / ALERT raised /, keys: '\x03' };
    const { code, output } = await inTerminal([...lines, ...args], env, typing);
    expect(code).toBe(130);
    expect(output).toContain(' ALERT raised ');
    expect(output).not.toMatch(/[\x07\x1b]/);
  });
});
