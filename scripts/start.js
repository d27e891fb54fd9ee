// npm start: from a fresh clone to `sockwatch live`. More arguments go to it: `npm start -- --demo`.
import { build, installPackages, requireNode } from './setup.js';

requireNode();
installPackages();
build();
// In this process, not in a child: keys, signals and the exit status need no middleman.
process.argv.splice(2, 0, 'live');
await import('../bin/run.js');
