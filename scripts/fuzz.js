// npm run fuzz: feeds mutated samples to every parser until the time is over. Options: --seconds N (default 60), --seed N, --only NAME.
import { join } from 'node:path';
import { installPackages, requireNode, root, run } from './setup.js';

requireNode();
installPackages();
run(process.execPath, [
  '--import',
  'tsx',
  join(root, 'scripts', 'fuzz', 'main.ts'),
  ...process.argv.slice(2),
]);
