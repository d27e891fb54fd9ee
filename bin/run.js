#!/usr/bin/env node
'use strict';
// CommonJS, as all that it loads: Node is faster to load that.
const { join } = require('node:path');

async function run(argv) {
  try {
    const { start } = require('../dist/cli/main.js');
    const own = {
      root: join(__dirname, '..'),
      pjson: require('../package.json'),
      manifest: require('../oclif.manifest.json'),
      load: (id) => require(`../dist/commands/${id}.js`),
    };
    await start(own, argv);
  } catch (error) {
    // A check that could not even be loaded is UNKNOWN: Node's own 1 would be a WARNING.
    if (argv[0] !== 'check') throw error;
    console.log(`SOCKWATCH UNKNOWN - ${String(error.message).split('\n', 1)[0]}`);
    process.exit(3);
  }
}

run(process.argv.slice(2));
