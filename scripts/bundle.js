// Makes dist: a file per command, and chunks that they share. A command starts in half the time that hundreds of modules take.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, transform } from 'esbuild';
import { keepConsts } from './keep-consts.js';
import { root } from './setup.js';
import { rarePackages, slimOclif } from './slim-oclif.js';
import { toCommonJs } from './to-commonjs.js';

const sources = (folder, pattern) =>
  readdirSync(join(root, 'src', folder))
    .filter((file) => pattern.test(file))
    .map((file) => ({ in: join(root, 'src', folder, file), out: `${folder}/${file.replace(/\.ts$/, '')}` }));

const { metafile } = await build({
  // Threads start from files of their own; the tests enter what starts them.
  entryPoints: [
    ...sources('commands', /\.ts$/),
    ...sources('cli', /^main\.ts$/),
    ...sources(
      'collect',
      /-worker\.ts$|^scan-helper\.ts$|^netlink-helper\.ts$|^beat-helper\.ts$|^owner-scan\.ts$/,
    ),
    ...rarePackages,
  ],
  outdir: join(root, 'dist'),
  // Every file is one folder deep, so that `../collect/x-worker.js` is right from each.
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // blessed and its widgets are found by name at run time; the others load only where they are asked for.
  external: [
    'blessed',
    'blessed-contrib',
    'koffi',
    'pcap-parser',
    '@oclif/plugin-help',
    '@oclif/plugin-autocomplete',
    'ts-node',
    'tsx',
    'typescript',
  ],
  plugins: [slimOclif],
  logLevel: 'warning',
  metafile: true,
});

const shared = new Set(
  Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => path),
  ),
);
for (const [file, { inputs }] of Object.entries(metafile.outputs)) {
  const isOurs = Object.keys(inputs).some((input) => input.startsWith('src/'));
  const written = readFileSync(file, 'utf8');
  const text = toCommonJs(isOurs ? keepConsts(written) : written, { file, isShared: shared.has(file) });
  // Ours stays readable, for a stack that a user reports; packages are made small, for they are read at every start.
  writeFileSync(file, isOurs ? text : (await transform(text, { minifyWhitespace: true })).code);
}
writeFileSync(join(root, 'dist', 'package.json'), '{ "type": "commonjs" }\n');
