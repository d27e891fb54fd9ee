import { describe, expect, it } from 'vitest';
import { listenerOn, notForNobody, snapshot, sockwatch } from '../support/cli.js';
import { needs } from '../support/needs.js';
import { type Namespace, withNamespace } from '../support/netns.js';
import { Server, serve } from '../support/sockets.js';

const missing = needs({ root: true, programs: ['ip', 'ss', 'nsenter', 'setpriv', 'python3'] });
const noNobody = missing ?? notForNobody();

/** At most 15 bytes each: what a process may call itself. */
const HOSTILE = [
  'x\x1b[31mred\x07',
  'a"b',
  'p(1) (sd-pam)',
  '",pid=1,fd=3)',
  'new\nline',
  'x\u202ey',
  '=cmd|calc',
  ' ',
];

describe.skipIf(missing)(`owners with hostile names${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('each is one owner, exact in JSON and without control bytes in the table', async () => {
    await withNamespace(async (namespace) => {
      const servers = await Promise.all(HOSTILE.map((name) => startAs(namespace, name)));
      const said = await snapshot(namespace);
      for (const { name, server, listening } of servers)
        expect(listenerOn(said, listening.port).owners).toEqual([
          { pid: server.pid, name, fd: listening.fd },
        ]);
      const { stdout } = await sockwatch(namespace, ['snapshot', '--no-color']);
      expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
      for (const { server, listening } of servers) {
        const lines = stdout.split('\n').filter((line) => line.includes(`/${server.pid} `));
        expect(lines).toEqual([expect.stringContaining(`127.0.0.1:${listening.port} `)]);
      }
    });
  });
});

async function startAs(namespace: Namespace, name: string) {
  const server = await Server.start(namespace);
  await server.rename(name);
  return { name, server, listening: await server.listen({ backlog: 4 }) };
}

describe.skipIf(noNobody)(`without privileges${noNobody ? ` (skipped: ${noNobody})` : ''}`, () => {
  it('owners are unknown, which is said once; all else is right', async () => {
    await withNamespace(async (namespace) => {
      const { server, listening, clients } = await serve(namespace, { backlog: 4 });
      const other = await server.listen({ backlog: 8 });
      await clients.connect(listening, 8, 5);
      const root = listenerOn(await snapshot(namespace), listening.port);
      const said = await snapshot(namespace, [], { unprivileged: true });
      const nobody = listenerOn(said, listening.port);
      expect(nobody).toMatchObject({
        accept_queue: { length: 5, backlog: 4, capacity: 5, fill: 1 },
        waiting: { count: 5, reset: 0 },
        verdict: 'full',
        inode: listening.inode,
        netns: namespace.id,
      });
      expect(nobody.owners).toBeUndefined();
      expect(listenerOn(said, other.port).owners).toBeUndefined();
      expect(nobody.findings).toEqual(root.findings);
      expect(said.gaps.filter((gap) => /owner/i.test(gap.what + gap.why))).toHaveLength(1);

      const table = await sockwatch(namespace, ['snapshot'], { unprivileged: true });
      expect(table.code).toBe(0);
      expect(`${table.stdout}${table.stderr}`.match(/CAP_SYS_PTRACE/g)).toHaveLength(1);
    });
  });
});
