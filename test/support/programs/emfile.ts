import { closeSync, openSync } from 'node:fs';
import { loadSystemCalls } from '../../../src/collect/netlink-socket.js';

/** Loads koffi while no descriptor is left, and again when there are some; prints both outcomes. */
const said: string[] = [];
const load = async () => {
  const outcome = await loadSystemCalls().then(
    () => 'loaded',
    ({ fault, message }) => `${fault}: ${message}`,
  );
  said.push(outcome);
};
const held: number[] = [];
try {
  for (;;) held.push(openSync('/dev/null', 'r'));
} catch {
  // That was the last one.
}
await load();
for (const fd of held) closeSync(fd);
await load();
process.stdout.write(JSON.stringify(said));
