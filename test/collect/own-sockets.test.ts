import { describe, expect, it } from 'vitest';
import { ownSockets } from '../../src/collect/own-sockets.js';
import { socketInodes } from '../../src/collect/process-fds.js';
import { run } from '../../src/collect/run.js';

describe('own sockets', () => {
  it('are also those through which a program was read that has ended', async () => {
    const before = ownSockets('/proc');
    await run({ program: 'true', args: [], onStdout: () => {}, timeoutMs: 10_000, path: '/usr/bin:/bin' });
    const fresh = [...ownSockets('/proc')].filter((inode) => !before.has(inode));
    expect(fresh.length).toBeGreaterThanOrEqual(2);
    const open = socketInodes('/proc', 'self');
    expect(fresh.filter((inode) => !open.has(inode)).length).toBeGreaterThanOrEqual(2);
  });
});
