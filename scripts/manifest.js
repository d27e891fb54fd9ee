// Writes oclif.manifest.json: with it the CLI loads only the command that is run.
// The development package that does this elsewhere brings 200 MB; these lines need nothing more than oclif itself.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Plugin } from '@oclif/core';
import { root } from './setup.js';

const file = join(root, 'oclif.manifest.json');
rmSync(file, { force: true });
const plugin = new Plugin({
  root,
  type: 'core',
  ignoreManifest: true,
  errorOnManifestCreate: true,
  respectNoCacheDefault: true,
});
await plugin.load();
writeFileSync(file, `${JSON.stringify(plugin.manifest, null, 2)}\n`);
