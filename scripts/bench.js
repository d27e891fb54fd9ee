// npm run bench: measures sockwatch beside its peers in one run, and prints ratios. Needs root, iproute2 and python3.
// Options: --connections N (pairs of sockets, default 50000), --seconds N of live (default 120), --runs N, --json FILE, --only NAME.
import { join } from 'node:path';
import { build, installPackages, requireNode, root, run } from './setup.js';

requireNode();
installPackages();
build();
run(process.execPath, [
  '--import',
  'tsx',
  join(root, 'scripts', 'bench', 'main.ts'),
  ...process.argv.slice(2),
]);
