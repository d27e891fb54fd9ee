import { build, installPackages, requireNode } from './setup.js';

requireNode();
installPackages();
build({ always: true });
