import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadOptionsFor, type OwnPackage } from '../../src/cli/own-plugin.js';
import { RUN_JS } from '../support/cli.js';

const REPORT = `process.on('exit', () => require('node:fs').writeSync(2, JSON.stringify({
  files: Object.keys(require.cache),
  builtins: process.moduleLoadList,
})));`;

interface Loaded {
  readonly files: readonly string[];
  readonly builtins: readonly string[];
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sockwatch-loading-'));
  writeFileSync(join(folder, 'report.cjs'), REPORT);
  writeFileSync(join(folder, 'empty.cjs'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

function loadedBy(...args: string[]): Loaded {
  return loadedByProgram(RUN_JS, ...args);
}

function loadedByProgram(...args: string[]): Loaded {
  const { stderr } = spawnSync(process.execPath, ['--require', join(folder, 'report.cjs'), ...args], {
    encoding: 'utf8',
  });
  return JSON.parse(stderr.slice(stderr.indexOf('{"files"')));
}

const named = ({ files }: Loaded, pattern: RegExp) => files.filter((file) => pattern.test(file));

describe('what a command loads', () => {
  it('of check: neither the loader of ES modules, nor what starts programs, draws or reads YAML', () => {
    const loaded = loadedBy('check', '--no-config', '--no-state', '--source', 'netlink');
    expect(named(loaded, /dist\/commands\/check\.js$/)).toHaveLength(1);
    expect(named(loaded, /\/packages\/|blessed|plugin-help|plugin-autocomplete/)).toEqual([]);
    expect(named(loaded, /chunks\/(config|execa|app|recorded-look|check-diagnosis)-/)).toEqual([]);
    expect(loaded.builtins).not.toContain('NativeModule child_process');
    // Node 24 loads it for every program.
    const { builtins: always } = loadedByProgram(join(folder, 'empty.cjs'));
    const added = loaded.builtins.filter((builtin) => !always.includes(builtin));
    expect(added).not.toContain('NativeModule internal/modules/esm/translators');
  });

  it('of --version: no command', () => {
    expect(named(loadedBy('--version'), /\/commands\/|\/packages\//)).toEqual([]);
  });

  it('of --help: the packages that write it', () => {
    expect(named(loadedBy('check', '--help'), /packages\/wrap-ansi\.js$/)).toHaveLength(1);
  });
});

describe('what oclif reads first', () => {
  const own = {
    root: '/package',
    pjson: { name: 'sockwatch', version: '1.2.3', oclif: { plugins: ['@oclif/plugin-help'] } },
    manifest: { version: '1.2.3', commands: { check: { id: 'check' } } },
    load: (id: string) => ({ default: { name: `class of ${id}` } }),
  } as unknown as OwnPackage;

  it('is nothing where the command is ours', async () => {
    const plugin = loadOptionsFor(own, ['check', '--port', '443']).plugins?.get('sockwatch');
    expect(plugin?.commands.map(({ id }) => id)).toEqual(['check']);
    expect(await plugin?.commands[0]?.load()).toMatchObject({ name: 'class of check', id: 'check', plugin });
  });

  it.each([[[]], [['--help']], [['help', 'check']], [['autocomplete']], [['chekc']], [['constructor']]])(
    'is all plugins for %j',
    (argv) => {
      expect(loadOptionsFor(own, argv)).toEqual({
        root: '/package',
        pjson: own.pjson,
        devPlugins: false,
        userPlugins: false,
      });
    },
  );
});
