import { parentPort, workerData } from 'node:worker_threads';
import { Claims, type HelperShare, type HelperTask } from './scan-helper.js';
import { ScanShare } from './scan-share.js';

const { proc, pids, memory } = workerData as HelperTask;
const claims = new Claims(new Int32Array(memory));
const share = new ScanShare(
  proc,
  'all descriptors',
  () => undefined,
  async () => {},
);
for (let index = pids.length - 1; index >= 0; index--) {
  if (!claims.take(index, true)) break;
  await share.add(pids[index] ?? 0);
}
const { processes, unreadable } = share;
const found: HelperShare = { processes, unreadable };
parentPort?.postMessage(
  found,
  processes.flatMap(({ fds, inodes }) => [fds.buffer as ArrayBuffer, inodes.buffer as ArrayBuffer]),
);
