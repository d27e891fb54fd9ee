// What bin/run.js starts. oclif comes with it in one file.
export { execute } from '@oclif/core';
