import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** Who may import whom (DESIGN: arrows point one way). */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  model: [],
  parse: ['model'],
  trace: ['model'],
  analyze: ['model'],
  watch: ['model', 'analyze'],
  collect: ['model', 'parse'],
  render: ['model'],
  tui: ['model', 'analyze', 'watch', 'render'],
  cli: ['model', 'parse', 'trace', 'analyze', 'watch', 'collect', 'render', 'tui'],
  commands: ['model', 'parse', 'trace', 'analyze', 'watch', 'collect', 'render', 'tui', 'cli'],
};

/** Outside packages and the places that own them. */
const OWNERS: Readonly<Record<string, RegExp>> = {
  blessed: /^tui\/screen/,
  'blessed-contrib': /^tui\/screen/,
  execa: /^collect\//,
  koffi: /^collect\//,
  'node:child_process': /^collect\//,
  'node:fs': /^collect\//,
  'node:fs/promises': /^collect\//,
  'node:net': /^collect\//,
  'node:worker_threads': /^collect\//,
  '@oclif/core': /^(commands|cli)\//,
};

/** Rooms whose functions give the same result for the same arguments: no clock, no machine. */
const PURE = ['model', 'parse', 'trace', 'analyze', 'watch', 'render'];
const IMPURE =
  /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bMath\.random\(|\bprocess\.|\bsetTimeout\(|\bsetInterval\(/;

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const texts = new Map(files.map((file) => [file, readFileSync(join(src, file), 'utf8')]));
const imports = new Map(
  [...texts].map(([file, text]) => [
    file,
    ts.preProcessFile(text, true, true).importedFiles.map((imported) => imported.fileName),
  ]),
);

const roomOf = (file: string) => file.split('/')[0] ?? '';
const isOurs = (name: string) => name.startsWith('.');
const resolve = (file: string, name: string) =>
  relative(src, join(src, dirname(file), name)).replace(/\.js$/, '.ts');
const packageOf = (name: string) =>
  name.startsWith('node:')
    ? name
    : name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/');
const pairs = [...imports].flatMap(([file, names]) => names.map((name) => [file, name] as const));

describe('the house', () => {
  it('has only the rooms of the design', () => {
    expect([...new Set(files.map(roomOf))].filter((room) => !(room in ROOMS))).toEqual([]);
  });

  it('imports in one direction', () => {
    const wrong = pairs
      .filter(([, name]) => isOurs(name))
      .map(([file, name]) => [file, resolve(file, name)] as const)
      .filter(
        ([file, target]) => roomOf(file) !== roomOf(target) && !ROOMS[roomOf(file)]?.includes(roomOf(target)),
      );
    expect(wrong).toEqual([]);
  });

  it('has one owner for each package that touches the outside', () => {
    const wrong = pairs
      .filter(([, name]) => !isOurs(name))
      .filter(([file, name]) => OWNERS[packageOf(name)]?.test(file) === false);
    expect(wrong).toEqual([]);
  });

  it('keeps clock, process and machine out of the pure rooms', () => {
    const wrong = files
      .filter((file) => PURE.includes(roomOf(file)))
      .flatMap((file) =>
        withoutComments(texts.get(file) ?? '')
          .split('\n')
          .filter((line) => IMPURE.test(line))
          .map((line) => `${file}: ${line.trim()}`),
      );
    expect(wrong).toEqual([]);
  });

  it('has no import cycle', () => {
    expect(findCycle()).toBeUndefined();
  });

  it('imports only what exists', () => {
    const missing = pairs.filter(
      ([file, name]) => isOurs(name) && !texts.has(resolve(file, name)) && !name.endsWith('.json'),
    );
    expect(missing).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}

function findCycle(): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, path: string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const name of imports.get(file) ?? []) {
      const cycle = isOurs(name) ? visit(resolve(file, name), [...path, file]) : undefined;
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of files) {
    const cycle = visit(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
