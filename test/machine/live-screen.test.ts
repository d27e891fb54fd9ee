import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { RUN_JS } from '../support/cli.js';
import { needs } from '../support/needs.js';
import { type Namespace, withNamespace } from '../support/netns.js';
import { startNginx, startWrk } from '../support/nginx.js';
import { PATIENCE_MS } from '../support/poll.js';
import { PtyTerminal } from '../support/pty-terminal.js';
import { Clients, serve } from '../support/sockets.js';

const PROGRAMS = ['ip', 'ss', 'nsenter', 'python3'];
const missing = needs({ root: true, programs: PROGRAMS });
const noNginx = needs({ root: true, programs: [...PROGRAMS, 'nginx', 'wrk'] });

/** `sockwatch live` in a namespace, in a pty of 120x40. */
function watch(namespace: Namespace): PtyTerminal {
  const [command, args] = namespace.enter(process.execPath, [
    RUN_JS,
    'live',
    '--no-unix',
    '--interval',
    '1s',
  ]);
  const terminal = new PtyTerminal(command, args, { columns: 120, rows: 40 });
  namespace.onRemove(() => terminal.kill());
  return terminal;
}

/** The listeners' line of an address, and the line of the alerts panel that is about its queue. */
const rowOf = (text: string, local: string) =>
  text.split('\n').find((row) => row.includes(` ${local} `) && row.includes('['));
const alertOf = (text: string, local: string) =>
  text
    .split('\n')
    .find((row) => /│[ >](!!|!) .* (WARN|CRIT) .*(accept queue|acceptor)/.test(row) && row.includes(local));

/** Waits for a screen, and tells how many refreshes (clocks of the title bar) it took, the one that was there included. */
async function refreshesUntil(terminal: PtyTerminal, holds: (text: string) => boolean): Promise<number> {
  const clocks = new Set<string>();
  await terminal.waitFor((text) => {
    clocks.add(/LIVE .*?(\d\d:\d\d:\d\d)/.exec(text)?.[1] ?? '');
    return holds(text);
  }, PATIENCE_MS);
  return clocks.size;
}

/** The screen of a listener in trouble, whatever its exact verdict and alert. */
const showsFull = (local: string, queue: string) => (text: string) => {
  const row = rowOf(text, local) ?? '';
  const verdict = /(FULL|OVERFLOW\w*|STOPPED\b)/i.test(row);
  return (
    /│.!!? /.test(row) &&
    row.includes('100%') &&
    row.includes(` ${queue} `) &&
    verdict &&
    alertOf(text, local) !== undefined
  );
};

/** Empty and without an alert; a queue that was full a moment ago is remembered as a burst. */
const showsWell = (local: string) => (text: string) =>
  /│.(ok|i ) .* 0% .* 0\/\d+ .* (ok|burst) /.test(rowOf(text, local) ?? '') &&
  alertOf(text, local) === undefined;

describe.skipIf(missing)(
  `the screen of live on real listeners${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    it('gauge, verdict and alert appear within two refreshes of an overflow, and clear when the acceptor resumes', async () => {
      await withNamespace(async (namespace) => {
        const { server, listening, clients } = await serve(namespace, { backlog: 9 });
        const local = `127.0.0.1:${listening.port}`;
        await server.run(listening);
        const terminal = watch(namespace);
        await terminal.waitFor(showsWell(local), PATIENCE_MS);
        expect(terminal.text).toMatch(/5 Alerts 0 active/);

        await server.stop(listening);
        const { first } = await clients.connect({ port: listening.port }, 14, 10);
        const refreshes = await refreshesUntil(terminal, showsFull(local, '10/9'));
        expect(refreshes).toBeLessThanOrEqual(3); // the one before the overflow, and two
        expect(rowOf(terminal.text, local)).toContain(`python3/${server.pid}`);

        // Full for less than 2 s is a burst, and two bursts are an alert of their own, which lasts.
        await sleep(2500);
        await server.run(listening);
        // A client that keeps what the server has closed would be a leak, and is told of.
        await clients.fin(first, 14);
        await terminal.waitFor(showsWell(local), PATIENCE_MS);
        // That nobody answered a client is told of for ten seconds after it.
        await terminal.waitFor(/5 Alerts 0 active/, PATIENCE_MS);
        terminal.write('q');
        expect(await terminal.waitForExit()).toMatchObject({ exitCode: 0 });
      });
    });
  },
);

describe.skipIf(noNginx)(
  `the screen of live on nginx under wrk${noNginx ? ` (skipped: ${noNginx})` : ''}`,
  () => {
    it('a stopped worker fills its backlog of 8, and drains it when it goes on', async () => {
      await withNamespace(async (namespace) => {
        const { master, worker } = await startNginx(namespace, 8080, 8);
        const clients = await Clients.start(namespace);
        startWrk(namespace, 8080, 4);
        const terminal = watch(namespace);
        await terminal.waitFor((text) => /\d\/8 /.test(rowOf(text, '127.0.0.1:8080') ?? ''), PATIENCE_MS);

        process.kill(worker, 'SIGSTOP');
        await clients.connect({ port: 8080 }, 16, 5);
        await vi.waitFor(async () => {
          expect(await namespace.must('ss', '-Hltn', 'sport', '=', ':8080')).toMatch(/LISTEN 9 +8 /);
        }, PATIENCE_MS);
        expect(await refreshesUntil(terminal, showsFull('127.0.0.1:8080', '9/8'))).toBeLessThanOrEqual(3);
        expect(rowOf(terminal.text, '127.0.0.1:8080')).toMatch(
          new RegExp(`nginx/(${master}|${worker}) \\+1`),
        );

        process.kill(worker, 'SIGCONT');
        await terminal.waitFor((text) => alertOf(text, '127.0.0.1:8080') === undefined, PATIENCE_MS);
        terminal.write('q');
        expect(await terminal.waitForExit()).toMatchObject({ exitCode: 0 });
      });
    });
  },
);
