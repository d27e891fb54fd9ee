import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';

const script = (name: string) => import(new URL(`../../scripts/${name}.js`, import.meta.url).href);
const { toCommonJs } = await script('to-commonjs');
const { deferRequires } = await script('lazy-requires');

const FILE = '/package/dist/chunks/a.js';

/** What a module exports that was made CommonJS, beside the names of what it has required. */
async function load(text: string, { isShared = true, others = {} as Record<string, unknown> } = {}) {
  const required: string[] = [];
  const module = { exports: {} as Record<string, unknown> };
  const require = (name: string) => {
    required.push(name);
    return name === 'node:url'
      ? { pathToFileURL: (path: string) => new URL(`file://${path}`) }
      : others[name];
  };
  const context = createContext({ module, require, __filename: FILE });
  await runInContext(`(() => {${toCommonJs(text, { file: 'a.js', isShared })}\n})()`, context);
  return { ...module, required };
}

describe('modules made CommonJS', () => {
  it('import members, whole modules and defaults as values', async () => {
    const { exports } = await load(
      `import { a, b as c } from "./x.js"; import * as all from "node:os"; import koffi from "koffi"; import own from "./y.js";
       var sum = [a, c, all.n, koffi, own]; export { sum, sum as default };`,
      { others: { './x.js': { a: 1, b: 2 }, 'node:os': { n: 3 }, koffi: 4, './y.js': { default: 5 } } },
    );
    expect(exports.sum).toEqual([1, 2, 3, 4, 5]);
    expect(exports.default).toBe(exports.sum);
  });

  it('load what is imported later when it is imported', async () => {
    const { exports, required } = await load('const later = () => import("./x.js"); export { later };', {
      others: { './x.js': { a: 1 } },
    });
    expect(required).toEqual([]);
    await expect((exports.later as () => Promise<unknown>)()).resolves.toEqual({ a: 1 });
  });

  it('know where they are', async () => {
    const { exports } = await load('const at = import.meta.url; export { at };');
    expect(exports.at).toBe(`file://${FILE}`);
  });

  it('may wait at their top where nothing imports them', async () => {
    const { required } = await load('import "./x.js"; await null; await import("./y.js");');
    expect(required[0]).toBe('./x.js');
  });

  it('are refused where an importer would miss what is assigned later', async () => {
    const text = 'let count = 0; const add = () => { count++; }; export { count, add };';
    await expect(load(text)).rejects.toThrow('cannot make CommonJS');
    // Who imports it by a call holds the module itself.
    const { exports } = await load(text, { isShared: false });
    (exports.add as () => void)();
    expect(exports.count).toBe(1);
  });

  it.each([
    'export * from "./x.js";',
    'export const a = 1;',
    'export { a } from "./x.js";',
    'await null; const a = 1; export { a };',
  ])('are refused where esbuild writes what it did not: %s', async (text) => {
    await expect(load(text)).rejects.toThrow('cannot make CommonJS');
  });
});

describe('requires that wait', () => {
  const run = (text: string) => {
    const required: string[] = [];
    const exports: Record<string, (value?: unknown) => unknown> = {};
    const require = (name: string) => {
      required.push(name);
      return { One: class {}, two: (value: number) => value + 1, default: 'three' };
    };
    new Function('require', 'exports', deferRequires(text))(require, exports);
    return { required, exports };
  };

  it('are made at the first use, and once', () => {
    const { required, exports } = run(
      'const x_1 = require("./x"); exports.two = (n) => (0, x_1.two)(n); exports.make = () => new x_1.One();',
    );
    expect(required).toEqual([]);
    expect(exports.two?.(1)).toBe(2);
    expect(exports.make?.()).toBeTypeOf('object');
    expect(required).toEqual(['./x']);
  });

  it('keep the helpers of TypeScript', () => {
    const { exports } = run(
      'function __importDefault(m) { return { default: m.default }; } const y_1 = __importDefault(require("y")); exports.get = () => y_1.default;',
    );
    expect(exports.get?.()).toBe('three');
  });

  it.each([
    'const x_1 = require("./x"); exports.all = x_1;',
    'const x = require("./x");',
    'const x_1 = require(name_1);',
  ])('are left alone in %s', (text) => {
    expect(deferRequires(text)).toBe(text);
  });
});
