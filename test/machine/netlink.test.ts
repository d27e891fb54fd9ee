import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ListenerJson } from '../../src/model/listener-json.js';
import type { Gap } from '../../src/model/observation.js';
import { byIdentity, differences } from '../parse/netlink/support.js';
import type { ReadableRow } from '../parse/readable.js';
import { listenerOn, notForNobody, snapshot } from '../support/cli.js';
import { needs } from '../support/needs.js';
import { Namespace, withNamespace } from '../support/netns.js';
import { standOddSockets } from '../support/odd-sockets.js';
import { Clients, serve } from '../support/sockets.js';

const missing = needs({ root: true, programs: ['ip', 'ss', 'nsenter', 'python3', 'setpriv'] });
const nobody = missing ?? notForNobody();

interface Look {
  readonly source: string;
  readonly rows: readonly ReadableRow[];
  readonly gaps: readonly Gap[];
}

describe.skipIf(missing)(
  `ss and netlink, each the other's oracle${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    let namespace: Namespace;
    beforeAll(async () => {
      namespace = new Namespace();
      await standOddSockets(namespace);
    });
    afterAll(() => namespace.remove());

    async function lookThrough(...sources: string[]): Promise<Look[]> {
      const program = fileURLToPath(new URL('./print-table.ts', import.meta.url));
      const said = await namespace.must(process.execPath, '--import', 'tsx', program, ...sources);
      return JSON.parse(said) as Look[];
    }

    it('give the same rows with the same columns for every kind of socket', async () => {
      const [fromSs, fromNetlink] = (await lookThrough('ss', 'netlink')) as [Look, Look];
      expect([fromSs.source, fromNetlink.source]).toEqual(['ss', 'netlink']);
      expect(fromNetlink.gaps).toEqual([]);
      expect(fromNetlink.rows.length).toBeGreaterThan(70);
      const [ss, netlink] = [byIdentity(fromSs.rows), byIdentity(fromNetlink.rows)];
      expect([...netlink.keys()].sort()).toEqual([...ss.keys()].sort());
      // A probe or a retransmission may fall between two looks; what really differs does so each time.
      let wrong = [...ss].flatMap(([key, row]) => differences(row, netlink.get(key) ?? {}));
      for (let again = 0; wrong.length > 0 && again < 6; again++) {
        const [one, other] = (await lookThrough('ss', 'netlink')) as [Look, Look];
        const rows = byIdentity(other.rows);
        wrong = [...byIdentity(one.rows)].flatMap(([key, row]) => differences(row, rows.get(key) ?? {}));
      }
      expect(wrong).toEqual([]);
    });

    it('auto takes netlink', async () => {
      const [look] = await lookThrough('auto');
      expect(look?.source).toBe('netlink');
    });

    it('without koffi, auto reads ss and says why in one line', async () => {
      const said = await snapshot(namespace, ['--no-owners'], { env: { NODE_OPTIONS: '--no-addons' } });
      expect(said.source).toBe('ss');
      expect(said.gaps.filter(({ what }) => what === 'netlink')).toEqual([
        { what: 'netlink', why: expect.stringMatching(/^sock_diag cannot .* koffi .*: ss is read instead$/) },
      ]);
    });

    it('give the same snapshot', async () => {
      const args = ['--all', '--udp', '--unix', '--no-owners'];
      const [fromSs, fromNetlink] = [
        await snapshot(namespace, [...args, '--source', 'ss']),
        await snapshot(namespace, [...args, '--source', 'netlink']),
      ];
      expect(fromNetlink.source).toBe('netlink');
      expect(settled(fromNetlink.listeners)).toEqual(settled(fromSs.listeners));
    });

    it.skipIf(nobody)(
      `give the same to a user without privilege${nobody ? ` (skipped: ${nobody})` : ''}`,
      async () => {
        const look = (source: string) =>
          snapshot(namespace, ['--all', '--udp', '--unix', '--source', source], { unprivileged: true });
        const [fromSs, fromNetlink] = [await look('ss'), await look('netlink')];
        expect(fromNetlink.source).toBe('netlink');
        expect(fromNetlink.gaps).toEqual(fromSs.gaps);
        expect(settled(fromNetlink.listeners)).toEqual(settled(fromSs.listeners));
      },
    );
  },
);

describe.skipIf(missing)(`netlink filters in the kernel${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('who waits at one port among many sockets', async () => {
    await withNamespace(async (namespace) => {
      const { server, listening, clients } = await serve(namespace, { backlog: 8 });
      const busy = await server.listen({ backlog: 4000 });
      await namespace.sysctl('net.core.somaxconn', 4096);
      await server.relisten(busy, 4000);
      for (let crowd = 0; crowd < 4; crowd++) {
        await (await Clients.start(namespace)).connect(busy, 700);
        await server.accept(busy, 700);
      }
      await clients.connect(listening, 3);
      const [fromSs, fromNetlink] = [
        await snapshot(namespace, ['--source', 'ss', '--no-owners']),
        await snapshot(namespace, ['--source', 'netlink', '--no-owners']),
      ];
      for (const port of [listening.port, busy.port])
        expect(settled([listenerOn(fromNetlink, port)])).toEqual(settled([listenerOn(fromSs, port)]));
      expect(listenerOn(fromNetlink, listening.port)).toMatchObject({
        accept_queue: { length: 3, backlog: 8 },
        waiting: { count: 3, reset: 0 },
      });
    });
  });
});

/** Without what goes on while nothing happens, ages, timers and what is concluded from them, clients that reset, of which ss is never certain, and without the cookies of Unix sockets, which ss does not print. */
const settled = (listeners: readonly ListenerJson[]): unknown =>
  JSON.parse(
    JSON.stringify(
      listeners.map(({ cookie, ...rest }) => (rest.protocol === 'unix' ? rest : { cookie, ...rest })),
      (key, value) => (MOVING.test(key) ? undefined : value),
    ),
  );
const MOVING = /_ms$|^retransmitted$|^verdict$|^severity$|^reset$|^findings$|^evidence$|^advice$/;
