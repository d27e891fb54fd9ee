// oclif comes to hundreds of modules, of which a command uses a few dozen: here each is loaded where something first uses it.
import { readFileSync } from 'node:fs';
import { deferRequires } from './lazy-requires.js';

/** A plugin of esbuild. */
export const slimOclif = {
  name: 'slim-oclif',
  setup(build) {
    build.onLoad({ filter: /node_modules\/@oclif\/core\/lib\/.*\.js$/ }, ({ path }) => ({
      contents: deferRequires(readFileSync(path, 'utf8')),
    }));
    // All that oclif asks it is whether this is Windows beneath; the rest loads what starts programs.
    build.onLoad({ filter: /node_modules\/wsl-utils\/index\.js$/ }, () => ({
      contents: "export { default as isWsl } from 'is-wsl';",
    }));
  },
};
