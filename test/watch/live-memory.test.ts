import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { SocketTable } from '../../src/model/table.js';
import { LiveDiagnosis } from '../../src/watch/live-diagnosis.js';
import { listen, row } from '../support/table-builder.js';
import { Timeline } from './timeline.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

it('live keeps the table of the last look alone: one of 100,000 sockets has 34 MB', async () => {
  const timeline = new Timeline({ companion: new LiveDiagnosis() });
  const tables: WeakRef<SocketTable>[] = [];
  for (let second = 0; second < 100; second++) {
    const connection = row({ local: '10.0.0.1:40000', remote: '10.0.0.9:3306', cookie: 5 });
    const report = timeline.look(second * 1000, { rows: [listen('10.0.0.1:80', [1, 9]), connection] });
    if (report.sockets !== undefined) tables.push(new WeakRef(report.sockets.table));
  }
  expect(tables).toHaveLength(100);
  // What a WeakRef was made of in this turn of the event loop is kept until the next one.
  await sleep(1);
  collectGarbage();
  const alive = tables.flatMap((table, second) => (table.deref() === undefined ? [] : [second]));
  expect(alive).toEqual([99]);
});
