import type { JudgedPool, Pool, PoolFinding } from '../../src/model/pools.js';
import { connections, millis } from '../../src/model/units.js';
import { PoolWatch } from '../../src/watch/pools.js';
import { look, row } from '../support/table-builder.js';

export const POOL_FINDING: PoolFinding = {
  rule: 'pool_exhausted',
  severity: 'warning',
  sure: 'suspected',
  pool: 0,
  subject: 'java/900 to 10.0.0.9:3306',
  message: 'all 10 connections were busy at each of 30 looks',
  evidence: [],
  advice: 'look for slow queries first',
};

function watched(): Pool {
  const rows = [
    row({ local: '10.0.0.1:40001', remote: '10.0.0.9:3306', owners: [{ pid: 900, fd: 4, name: 'java' }] }),
  ];
  const watch = new PoolWatch();
  watch.take(look(0, rows));
  watch.take(look(1000, rows));
  const [pool] = watch.report()?.pools ?? [];
  if (pool === undefined) throw new Error('no pool was seen');
  return pool;
}

/** Ten connections to a database, in every state that details tell of. */
export const SAMPLE_POOL: JudgedPool = {
  ...watched(),
  open: connections(10),
  busy: connections(4),
  idle: connections(5),
  unsure: connections(1),
  closeWait: connections(3),
  timeWait: connections(20),
  age: { p50: millis(90_000), p95: millis(600_000), max: millis(700_000) },
  agesAtLeast: true,
  idleCloses: { timeout: { by: 'peer', ms: millis(15_000), withinMs: millis(50), closes: 7, of: 9 } },
  probes: { kept: 2, bare: 8, bareLongIdle: 0, unanswered: 0 },
  findings: [POOL_FINDING],
};
