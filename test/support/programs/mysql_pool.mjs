// A pool of mysql2: port, connections, and how many of them run a query that takes a minute. Says its own numbers for each line of stdin.
import { createInterface } from 'node:readline';
import { createPool } from 'mysql2';

const [port, size, active, everyMs] = process.argv.slice(2).map(Number);
const pool = createPool({ host: '127.0.0.1', port, user: 'root', connectionLimit: size });
const query = (text) =>
  new Promise((resolve, reject) => pool.query(text, (error) => (error ? reject(error) : resolve())));
await Promise.all(Array.from({ length: size }, () => query('SELECT SLEEP(0.2)')));
for (let one = 0; one < active; one++) query('SELECT SLEEP(60)').catch(() => {});
if (everyMs > 0)
  setInterval(() => {
    for (let one = active; one < size; one++) query('SELECT 1').catch(() => {});
  }, everyMs);
process.stdout.write('ready\n');
createInterface({ input: process.stdin })
  .on('line', () => {
    const total = pool._allConnections.length;
    const idle = pool._freeConnections.length;
    const waiting = pool._connectionQueue.length;
    process.stdout.write(`${JSON.stringify({ total, active: total - idle, idle, waiting })}\n`);
  })
  .on('close', () => process.exit(0));
