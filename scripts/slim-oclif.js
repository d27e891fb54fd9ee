// oclif comes to hundreds of modules, of which a command uses a few dozen: here each is loaded where something first uses it, and the
// packages that only help, plugins and spinners need stay in files of their own.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { deferRequires } from './lazy-requires.js';

const requireOfOclif = createRequire(createRequire(import.meta.url).resolve('@oclif/core'));
const RARE = [
  'ansi-escapes',
  'clean-stack',
  'cli-spinners',
  'ejs',
  'get-package-type',
  'indent-string',
  'lilconfig',
  'minimatch',
  'string-width',
  'tinyglobby',
  'widest-line',
  'wrap-ansi',
];

/** Where esbuild finds each of them, and where it puts it. */
export const rarePackages = RARE.map((name) => ({
  in: requireOfOclif.resolve(name),
  out: `packages/${name}`,
}));

/** A plugin of esbuild. */
export const slimOclif = {
  name: 'slim-oclif',
  setup(build) {
    build.onLoad({ filter: /node_modules\/@oclif\/core\/lib\/.*\.js$/ }, ({ path }) => ({
      contents: deferRequires(readFileSync(path, 'utf8')),
    }));
    build.onResolve({ filter: new RegExp(`^(${RARE.join('|')})$`) }, ({ path, importer }) =>
      /@oclif\/core\/lib\//.test(importer) ? { path: `../packages/${path}.js`, external: true } : undefined,
    );
    // All that oclif asks it is whether this is Windows beneath; the rest loads what starts programs.
    build.onLoad({ filter: /node_modules\/wsl-utils\/index\.js$/ }, () => ({
      contents: "export { default as isWsl } from 'is-wsl';",
    }));
  },
};
