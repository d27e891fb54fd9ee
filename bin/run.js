#!/usr/bin/env node
const argv = process.argv.slice(2);
try {
  const { start } = await import('../dist/cli/main.js');
  await start(import.meta.url, argv);
} catch (error) {
  // A check that could not even be loaded is UNKNOWN: Node's own 1 would be a WARNING.
  if (argv[0] !== 'check') throw error;
  console.log(`SOCKWATCH UNKNOWN - ${String(error.message).split('\n', 1)[0]}`);
  process.exit(3);
}
