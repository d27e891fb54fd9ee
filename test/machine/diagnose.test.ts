import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import type { DiagnosisFindingJson, DiagnosisJson } from '../../src/model/diagnosis-json.js';
import { sockwatch } from '../support/cli.js';
import { needs } from '../support/needs.js';
import {
  FAR_ADDRESS,
  type Namespace,
  SERVER_ADDRESS,
  withFarPair,
  withNamespace,
  withPair,
} from '../support/netns.js';
import { meanwhile, poll } from '../support/poll.js';
import { Trouble } from '../support/trouble.js';

const missing = needs({ root: true, programs: ['ip', 'ss', 'nsenter', 'python3'] });
const noFirewall = missing ?? needs({ programs: ['nft'] });
const HERE = '127.0.0.1';
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const isValid = new Ajv({ strict: false }).compile<DiagnosisJson>(
  JSON.parse(readFileSync(new URL('../../schema/diagnosis.schema.json', import.meta.url), 'utf8')),
);

/** What `diagnose --format json` says there. */
async function diagnose(
  namespace: Namespace,
  { seconds = 2, source = 'auto' }: { seconds?: number; source?: string } = {},
): Promise<DiagnosisJson> {
  const words = [
    'diagnose',
    '--format',
    'json',
    '--interval',
    '250ms',
    '--duration',
    `${seconds}s`,
    '--source',
    source,
  ];
  const { code, stdout, stderr } = await sockwatch(namespace, words);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const said = JSON.parse(stdout) as DiagnosisJson;
  expect(isValid(said), JSON.stringify(isValid.errors)).toBe(true);
  return said;
}

/** More connections than are closed one by one while sockwatch looks, on a machine that is busy too. */
const MANY = 500;

const rulesOf = ({ findings }: DiagnosisJson) => findings.map(({ rule }) => rule);
const worrying = ({ findings }: DiagnosisJson) => findings.filter(({ severity }) => severity !== 'info');

function findingOf(said: DiagnosisJson, rule: string): DiagnosisFindingJson {
  const found = said.findings.filter((finding) => finding.rule === rule);
  expect(found, `${rule} in ${JSON.stringify(said.findings, null, 1)}`).not.toHaveLength(0);
  return found[0] as DiagnosisFindingJson;
}

const evidenceOf = ({ evidence }: DiagnosisFindingJson, metric: string) =>
  evidence.find((one) => one.metric === metric);

/** A server and a client with so many connections between them, accepted. */
async function joined(namespace: Namespace, count: number) {
  const [server, client] = await Promise.all([Trouble.start(namespace), Trouble.start(namespace)]);
  const port = await server.listen(HERE);
  await client.connect(HERE, port, count);
  await server.accept(count);
  return { server, client, port };
}

describe.skipIf(missing)(`diagnose of real sockets${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('says plainly that nothing is wrong, and what was looked at', async () => {
    await withNamespace(async (namespace) => {
      await joined(namespace, 8);
      const said = await diagnose(namespace);
      expect(said.findings).toEqual([]);
      expect(said.looked_at).toMatchObject({ listeners: 1, connections: 16, processes: 2 });
      expect(said.looked_at.looks).toBeGreaterThan(2);
      expect(said.looked_at.counters).toBeGreaterThan(100);
      const { stdout } = await sockwatch(namespace, ['diagnose', '--duration', '0s']);
      expect(stdout).toMatch(
        /^Nothing wrong was found among what could be judged\.\nLooked at 1 listener, 16 connections, 2 processes, /,
      );
      expect(stdout).toMatch(/^not judged with 1 look: app_not_reading, /m);
      const whole = await sockwatch(namespace, ['diagnose', '--duration', '1s', '--interval', '1s']);
      expect(whole.stdout).toMatch(/^Nothing wrong was found\.\n/);
    });
  });

  it('says that nothing is here of what was asked for, instead of good news', async () => {
    await withNamespace(async (namespace) => {
      await joined(namespace, 2);
      const look = ['diagnose', '--duration', '200ms'];
      const port = await sockwatch(namespace, [...look, '--port', '443']);
      expect(port).toMatchObject({ code: 0, stderr: '' });
      expect(port.stdout).toMatch(
        /^Nothing here has port 443: nothing was judged\.\nLooked at 0 listeners, /,
      );
      const pid = await sockwatch(namespace, [...look, '--pid', `${process.pid}`]);
      expect(pid.stdout).toContain(`Nothing here is of process ${process.pid}: nothing was judged.`);
      const both = await sockwatch(namespace, [
        ...look,
        '--port',
        '443',
        '--filter',
        'state:listen',
        '-f',
        'json',
      ]);
      expect((JSON.parse(both.stdout) as DiagnosisJson).gaps[0]).toEqual({
        what: 'nothing here matches state:listen port:443',
        why: 'nothing was judged',
      });
    });
    await withNamespace(async (namespace) => {
      const { port } = await joined(namespace, 2);
      const { stdout } = await sockwatch(namespace, ['diagnose', '--duration', '1s', '--port', `${port}`]);
      expect(stdout).toMatch(/^Nothing wrong was found\.\nLooked at 1 listener, 4 connections, /);
    });
  });

  it('finds in a second, with looks a second apart, a reader that never reads', async () => {
    await withNamespace(async (namespace) => {
      const { server, client } = await joined(namespace, 1);
      await client.keepWriting();
      await sleep(500);
      const short = ['diagnose', '--duration', '1s', '--interval', '1s', '--format', 'json'];
      const said = JSON.parse((await sockwatch(namespace, short)).stdout) as DiagnosisJson;
      expect(said.looked_at.looks).toBeGreaterThan(2);
      expect(findingOf(said, 'app_not_reading').subject).toMatchObject({ pid: server.pid });
    });
  });

  it('passes nothing in silence: it looks three times at least, and says what it could not judge', async () => {
    await withNamespace(async (namespace) => {
      await joined(namespace, 4);
      const short = ['diagnose', '--duration', '300ms', '--interval', '5s', '--fail-on'];
      const warned = await sockwatch(namespace, [...short, 'warning']);
      expect(warned).toMatchObject({ code: 0, stderr: '' });
      expect(warned.stdout).not.toContain('there was one look only');
      const nameless = await sockwatch(namespace, [...short, 'pool_leak', '--no-owners']);
      const said = nameless.stdout.replaceAll(/\s+/g, ' ');
      expect(said.match(/not judged: the processes of .*? are not known/g)).toEqual([
        'not judged: the processes of 8 connections and 1 listener are not known',
      ]);
      expect(said).toContain('pool_leak: not judged: it needs 4 looks over 10 min, there were 3 in');
      expect(said).not.toContain('reconnect_wave: not judged: it needs');
      const check = ['check', '--metric', 'diagnosis', '--no-state'];
      const once = await sockwatch(namespace, [...check, '--samples', '1']);
      expect(once).toMatchObject({ code: 3 });
      expect(once.stdout).toContain('one look alone does not tell whether something is wrong');
      const usual = await sockwatch(namespace, check);
      expect(usual).toMatchObject({ code: 0 });
      expect(usual.stdout).toContain('diagnose finds nothing wrong');
    });
  });

  describe('CLOSE-WAIT', () => {
    it('that a program leaks is found, with the time until its limit of descriptors', async () => {
      await withNamespace(async (namespace) => {
        const { server, client, port } = await joined(namespace, MANY);
        await server.leaveDescriptors(40);
        const looking = diagnose(namespace);
        await meanwhile(looking, 100, () => client.closeMade(1));
        const finding = findingOf(await looking, 'close_wait_leak');
        expect(finding.subject).toMatchObject({
          pid: server.pid,
          process: 'python3',
          local: `${HERE}:${port}`,
        });
        expect(finding.severity).toBe('critical');
        expect(evidenceOf(finding, 'descriptors')?.text).toMatch(/at this pace the limit is reached in \d/);
      });
    });

    it('that drains, or waits in an accept queue, is none', async () => {
      await withNamespace(async (namespace) => {
        const { server, client, port } = await joined(namespace, MANY);
        const looking = diagnose(namespace);
        const closed = await meanwhile(looking, 75, async () => {
          await client.closeMade(1);
          await server.closeTaken(1);
        });
        expect(rulesOf(await looking)).not.toContain('close_wait_leak');
        const others = MANY - closed - 10;
        await client.closeMade(others);
        await server.closeTaken(others);
        // Nobody has accepted these: they are no leak of anybody.
        await client.connect(HERE, port, 3);
        await client.closeMade(13);
        expect(rulesOf(await diagnose(namespace))).not.toContain('close_wait_leak');
      });
    });
  });

  it('tells a stopped process before what follows from it', async () => {
    await withNamespace(async (namespace) => {
      const [server, client] = await Promise.all([Trouble.start(namespace), Trouble.start(namespace)]);
      const port = await server.listen(HERE, { backlog: 4 });
      await client.connect(HERE, port, 3);
      await server.accept(3);
      process.kill(server.pid, 'SIGSTOP');
      await client.write(40_000);
      await client.connect(HERE, port, 5);
      const said = await diagnose(namespace, { seconds: 5 });
      process.kill(server.pid, 'SIGCONT');
      const [first] = said.findings;
      expect(first).toMatchObject({ rule: 'stopped_acceptor', subject: { pid: server.pid } });
      expect(first?.advice).toContain(`kill -CONT ${server.pid}`);
      expect(first?.caused_by).toBeUndefined();
      for (const rule of ['accept_queue_full', 'app_not_reading'])
        expect(findingOf(said, rule)).toMatchObject({ caused_by: 'stopped_acceptor' });
    });
  });

  describe('descriptors', () => {
    it('at their limit are named as the cause of a full accept queue', async () => {
      await withNamespace(async (namespace) => {
        const [server, client] = await Promise.all([Trouble.start(namespace), Trouble.start(namespace)]);
        const port = await server.listen(HERE, { backlog: 4 });
        await server.leaveDescriptors(3);
        await server.serve();
        await client.connect(HERE, port, 8);
        const said = await diagnose(namespace);
        const cause = findingOf(said, 'fd_limit');
        expect(cause).toMatchObject({
          severity: 'critical',
          subject: { pid: server.pid, local: `${HERE}:${port}` },
        });
        expect(cause.advice).toMatch(/LimitNOFILE/);
        expect(findingOf(said, 'accept_queue_full')).toMatchObject({ caused_by: 'fd_limit' });
        const check = ['check', '--metric', 'diagnosis', '--samples', '3', '--every', '300ms', '--no-state'];
        const checked = await sockwatch(namespace, check);
        expect(checked.code).toBe(2);
        expect(checked.stdout).toMatch(/fd_limit_diagnosis=2;@1:;@2:;0;/);
        const elsewhere = await sockwatch(namespace, [...check, '--port', '9']);
        expect(elsewhere.stdout).toMatch(/^SOCKWATCH OK - diagnose finds nothing wrong/);
        const rules = rulesOf(said);
        expect(rules.indexOf('fd_limit')).toBeLessThan(rules.indexOf('accept_queue_full'));
      });
    });

    it('near their limit are a warning, and far from it nothing', async () => {
      await withNamespace(async (namespace) => {
        const { server } = await joined(namespace, 60);
        expect(worrying(await diagnose(namespace))).toEqual([]);
        await server.leaveDescriptors(4);
        expect(findingOf(await diagnose(namespace), 'fd_limit')).toMatchObject({
          severity: 'warning',
          subject: { pid: server.pid },
        });
      });
    });
  });

  describe('ports', () => {
    it('of a range of 100 are found when nearly all are in use towards one destination', async () => {
      await withNamespace(async (namespace) => {
        const [server, client] = await Promise.all([Trouble.start(namespace), Trouble.start(namespace)]);
        const port = await server.listen(HERE, { port: 8080 });
        await setRange(namespace, '40000 40099', '40050-40059');
        await namespace.sysctl('net.ipv4.tcp_tw_reuse', 0);
        await client.connect(HERE, port, 50);
        await server.accept(50);
        expect(rulesOf(await diagnose(namespace))).not.toContain('ephemeral_ports');
        await client.connect(HERE, port, 30);
        await server.accept(30);
        await client.closeMade(80);
        await server.closeTaken(80);
        const finding = findingOf(await diagnose(namespace), 'ephemeral_ports');
        expect(finding).toMatchObject({
          severity: 'warning',
          subject: { local: expect.stringContaining(HERE), remote: `${HERE}:${port}` },
          // A socket that becomes a TIME-WAIT while the kernel lists them may be missed (KERNEL.md 8).
          message: expect.stringMatching(
            `^(79|80) of 90 local ports from ${HERE} to ${HERE}:${port} are in use \\(8[78]%\\)$`,
          ),
          settings: { 'net.ipv4.ip_local_port_range': '40000 40099', 'net.ipv4.tcp_tw_reuse': '0' },
        });
        expect(evidenceOf(finding, 'ports.per_second')?.value).toBeCloseTo(1.5);
        // Over loopback 2 is enough, and then ports in TIME-WAIT are free again after a second.
        await namespace.sysctl('net.ipv4.tcp_tw_reuse', 2);
        expect(rulesOf(await diagnose(namespace))).not.toContain('ephemeral_ports');
      });
    });

    it('of the server cost nothing, though all its TIME-WAIT is on its side', async () => {
      await withNamespace(async (namespace) => {
        const [server, client] = await Promise.all([Trouble.start(namespace), Trouble.start(namespace)]);
        // Even a listener whose port is one of the range.
        const port = await server.listen(HERE, { port: 40_020 });
        await setRange(namespace, '40000 40199', '40020');
        await namespace.sysctl('net.ipv4.tcp_tw_reuse', 0);
        for (let round = 0; round < 2; round++) {
          await client.connect(HERE, port, 90);
          await server.accept(90);
          await server.closeTaken(90);
          await client.closeMade(90);
        }
        await setRange(namespace, '40020 40119');
        expect(worrying(await diagnose(namespace))).toEqual([]);
      });
    });

    it('tells TIME-WAIT that found no room', async () => {
      await withNamespace(async (namespace) => {
        await namespace.sysctl('net.ipv4.tcp_max_tw_buckets', 5);
        const { client } = await joined(namespace, 20);
        const said = diagnose(namespace);
        await sleep(1200);
        await client.closeMade(20);
        await sleep(200);
        await said;
        // The server has to close too before this side is in TIME-WAIT.
        const { server, client: other } = await joined(namespace, MANY);
        const again = diagnose(namespace);
        await meanwhile(again, 100, async () => {
          await other.closeMade(1);
          await server.closeTaken(1);
        });
        expect(findingOf(await again, 'time_wait_overflow')).toMatchObject({ severity: 'warning' });
      });
    });
  });

  describe('buffers', () => {
    it('that a program stopped reading are found on both sides', async () => {
      await withNamespace(async (namespace) => {
        const { server, client, port } = await joined(namespace, 1);
        await client.keepWriting();
        await sleep(500);
        const said = await diagnose(namespace);
        const reader = findingOf(said, 'app_not_reading');
        expect(reader).toMatchObject({
          severity: 'warning',
          sure: 'certain',
          subject: { pid: server.pid, local: `${HERE}:${port}` },
        });
        const writer = findingOf(said, 'peer_not_reading');
        expect(writer).toMatchObject({
          severity: 'warning',
          sure: 'certain',
          subject: { pid: client.pid, remote: `${HERE}:${port}` },
        });
        expect(evidenceOf(writer, 'zero_window')?.value).toBe(1);
        const bySs = await diagnose(namespace, { source: 'ss' });
        expect(findingOf(bySs, 'app_not_reading')).toMatchObject({ sure: 'certain' });
        expect(findingOf(bySs, 'peer_not_reading')).toMatchObject({ sure: 'certain' });
      });
    });

    it('of the only connection, whose window is 0, are found as surely', async () => {
      await withPair(async (there, here) => {
        const [server, client] = await Promise.all([Trouble.start(there), Trouble.start(here)]);
        const port = await server.listen(SERVER_ADDRESS);
        await client.connect(SERVER_ADDRESS, port, 1);
        await server.accept(1);
        await client.keepWriting();
        const hasShut = (text: string) => text.includes('timer:(persist') && !text.includes('snd_wnd:');
        await poll(async () => hasShut(await here.must('ss', '-Htnoi')) || undefined, 'a window of 0');
        const said = await diagnose(here);
        expect(said.looked_at.connections).toBe(1);
        const writer = findingOf(said, 'peer_not_reading');
        expect(writer).toMatchObject({ sure: 'certain', subject: { pid: client.pid } });
        expect(evidenceOf(writer, 'zero_window')?.value).toBe(1);
        const file = join(mkdtempSync(join(tmpdir(), 'sw-window-')), 'r.ndjson.gz');
        await sockwatch(here, ['record', file, '--duration', '2s', '--interval', '500ms']);
        const { stdout } = await sockwatch(here, ['diagnose', '--from', file, '--format', 'json']);
        const recorded = findingOf(JSON.parse(stdout) as DiagnosisJson, 'peer_not_reading');
        expect(evidenceOf(recorded, 'zero_window')?.value).toBe(1);
        // An ss before 6.6 does not show that it knows windows where all are 0.
        const [bySs] = (await diagnose(here, { source: 'ss' })).findings.filter(
          ({ rule }) => rule === 'peer_not_reading',
        );
        expect(['certain', 'suspected']).toContain(bySs?.sure);
        expect(bySs?.evidence.at(-1)?.text).toMatch(
          bySs?.sure === 'certain' ? /window that the peer last announced is 0/ : /does not show the window/,
        );
      });
    });

    it('of a reader that is slow, and does read, are no such thing', async () => {
      await withNamespace(async (namespace) => {
        const { server, client } = await joined(namespace, 1);
        await server.readSlowly(50_000, 20);
        await client.keepWriting();
        await sleep(500);
        const rules = rulesOf(await diagnose(namespace));
        expect(rules).not.toContain('app_not_reading');
        expect(rules).not.toContain('peer_not_reading');
      });
    });

    it('with a few bytes left are information at most', async () => {
      await withNamespace(async (namespace) => {
        const { client } = await joined(namespace, 2);
        await client.write(300);
        const said = await diagnose(namespace);
        expect(findingOf(said, 'app_not_reading').severity).toBe('info');
        expect(worrying(said)).toEqual([]);
      });
    });
  });

  it('finds connections that were shut down and never closed', async () => {
    await withNamespace(async (namespace) => {
      const { server } = await joined(namespace, 4);
      await server.shutTaken(4);
      // Peers may still be at work on their answers.
      expect(rulesOf(await diagnose(namespace))).not.toContain('fin_wait_2');
      await sleep(30_000);
      const said = await diagnose(namespace);
      expect(findingOf(said, 'fin_wait_2')).toMatchObject({
        severity: 'warning',
        subject: { pid: server.pid },
      });
    });
  });

  describe('connects', () => {
    it('that are refused again and again without back-off are found, with one the client waits longer each time not', async () => {
      await withNamespace(async (namespace) => {
        const client = await Trouble.start(namespace);
        await client.tryAgain({ address: HERE, port: 9, timeoutMs: 1000, pauseMs: 2 });
        const said = await diagnose(namespace);
        const refused = findingOf(said, 'connect_refused');
        expect(refused).toMatchObject({ severity: 'warning', subject: { remote: `${HERE}:9` } });
        expect(refused.message).toContain(` of them to ${HERE}:9`);
        expect(evidenceOf(refused, 'refused')?.text).toMatch(/^at least \d+ connects to /);
        expect(evidenceOf(refused, 'OutRsts')?.text).toContain('the closed port may well be its own');
        expect(findingOf(said, 'retry_storm')).toMatchObject({
          severity: 'warning',
          subject: { remote: `${HERE}:9` },
          message: expect.stringMatching(` to ${HERE}:9 fail at a (steady|high) pace of `),
          caused_by: 'connect_refused',
        });
        const file = join(mkdtempSync(join(tmpdir(), 'sw-refused-')), 'r.ndjson.gz');
        await sockwatch(namespace, ['record', file, '--duration', '2s', '--interval', '500ms']);
        const { stdout } = await sockwatch(namespace, ['diagnose', '--from', file, '--format', 'json']);
        const recorded = findingOf(JSON.parse(stdout) as DiagnosisJson, 'connect_refused');
        expect(recorded.message).toContain(` of them to ${HERE}:9`);
      });
      await withNamespace(async (namespace) => {
        const client = await Trouble.start(namespace);
        await client.tryAgain({ address: HERE, port: 9, timeoutMs: 1000, pauseMs: 50, factor: 2 });
        expect(rulesOf(await diagnose(namespace))).not.toContain('retry_storm');
      });
    });

    it('of which three in four go to one place have their storm explained by that place', async () => {
      await withNamespace(async (namespace) => {
        const client = await Trouble.start(namespace);
        const often = { address: HERE, timeoutMs: 1000, pauseMs: 10 };
        await client.tryAgain({ ...often, port: 9, atOnce: 3 });
        await client.tryAgain({ ...often, port: 10 });
        // A machine that is busy may hear of few ends, and then nobody knows where most went.
        const isKnown = (one: DiagnosisJson) =>
          one.findings.some(
            ({ rule, subject }) => rule === 'connect_refused' && subject.remote !== undefined,
          );
        let said = await diagnose(namespace);
        for (let seconds = 2; !isKnown(said) && seconds <= 16; seconds *= 2)
          said = await diagnose(namespace, { seconds });
        expect(findingOf(said, 'connect_refused').subject).toMatchObject({ remote: `${HERE}:9` });
        const storm = findingOf(said, 'retry_storm');
        expect(storm.subject.remote).toBeUndefined();
        expect(storm.caused_by).toBe('connect_refused');
      });
    });

    it('to a listener on this host that is full are told so', async () => {
      await withNamespace(async (namespace) => {
        const [server, client] = await Promise.all([Trouble.start(namespace), Trouble.start(namespace)]);
        const port = await server.listen(HERE, { backlog: 1 });
        await client.connect(HERE, port, 2);
        await client.tryAgain({ address: HERE, port, timeoutMs: 60_000, pauseMs: 50, atOnce: 3 });
        const said = await diagnose(namespace, { seconds: 4 });
        expect(findingOf(said, 'connect_timeout').message).toContain(
          `the accept queue of ${HERE}:${port} on this host is full`,
        );
        expect(rulesOf(said)).toContain('accept_queue_full');
      });
    });
  });

  it('ends with 1 where --fail-on is met, and hides what --redact must hide', async () => {
    await withNamespace(async (namespace) => {
      const { server } = await joined(namespace, 60);
      await server.leaveDescriptors(2);
      const look = ['diagnose', '--duration', '600ms', '--interval', '200ms'];
      const failed = await sockwatch(namespace, [...look, '--fail-on', 'fd-limit', '--redact']);
      expect(failed).toMatchObject({ code: 1, stderr: '' });
      expect(failed.stdout).toContain('process-1');
      expect(failed.stdout).not.toMatch(/python3|127\.0\.0\.1/);
      expect(await sockwatch(namespace, [...look, '--fail-on', 'retry_storm'])).toMatchObject({ code: 0 });
      expect(await sockwatch(namespace, [...look, '--fail-on', 'nonsense'])).toMatchObject({ code: 2 });
      const other = await sockwatch(namespace, [...look, '--pid', '4194304', '--fail-on', 'info']);
      expect(other).toMatchObject({ code: 1, stdout: '' });
      expect(other.stderr).toContain('there is no process');
      const own = await sockwatch(namespace, [...look, '--pid', `${process.pid}`, '--fail-on', 'info']);
      expect(own).toMatchObject({ code: 0 });
    });
  });
});

describe.skipIf(noFirewall)(`connects into nothing${noFirewall ? ` (skipped: ${noFirewall})` : ''}`, () => {
  it('are a storm of their own beside others that are refused', async () => {
    await withPair(async (server, client) => {
      await swallow(server, 7777);
      const stubborn = await Trouble.start(client);
      const there = { address: SERVER_ADDRESS, atOnce: 6 };
      await stubborn.tryAgain({ ...there, port: 7777, timeoutMs: 1300, pauseMs: 20 });
      await stubborn.tryAgain({ ...there, port: 9, timeoutMs: 1000, pauseMs: 20 });
      const { findings } = await diagnose(client, { seconds: 8 });
      const storms = findings.filter(({ rule }) => rule === 'retry_storm');
      const causeAt = (remote: string) =>
        storms.filter(({ subject }) => subject.remote === remote).map(({ caused_by }) => caused_by);
      expect(causeAt(`${SERVER_ADDRESS}:7777`)).toEqual([undefined]);
      expect(causeAt(`${SERVER_ADDRESS}:9`)).toEqual(['connect_refused']);
    });
  });

  it('are found with how long they try, and a client with back-off is no storm', async () => {
    await withPair(async (server, client) => {
      await swallow(server, 7777);
      const stubborn = await Trouble.start(client);
      await stubborn.tryAgain({
        address: SERVER_ADDRESS,
        port: 7777,
        timeoutMs: 1300,
        pauseMs: 20,
        atOnce: 6,
      });
      // Six attempts at a time, 1.3 s apart: of 5 s, one half may have two such bursts and the other one.
      const said = await diagnose(client, { seconds: 8 });
      const timeout = findingOf(said, 'connect_timeout');
      expect(timeout).toMatchObject({
        severity: 'critical',
        subject: { pid: stubborn.pid, remote: `${SERVER_ADDRESS}:7777` },
      });
      const gaveUp = evidenceOf(timeout, 'gave_up_after');
      expect(gaveUp?.text).toMatch(
        /the timeout of the application; the kernel itself would try for \d\.\d min/,
      );
      expect(gaveUp?.value).toBeGreaterThan(1.2);
      expect(evidenceOf(timeout, 'softnet_dropped')?.text).toContain('no packet was dropped');
      expect(evidenceOf(timeout, 'route')?.text).toMatch(
        new RegExp(`^${SERVER_ADDRESS} is reached over device \\S+ directly`),
      );
      expect(evidenceOf(timeout, 'device')?.value).toBe(1);
      const storm = findingOf(said, 'retry_storm');
      expect(storm.subject).toMatchObject({ remote: `${SERVER_ADDRESS}:7777`, pid: stubborn.pid });
    });
    await withPair(async (server, client) => {
      await swallow(server, 7777);
      const patient = await Trouble.start(client);
      await patient.tryAgain({
        address: SERVER_ADDRESS,
        port: 7777,
        timeoutMs: 1300,
        pauseMs: 400,
        factor: 2,
      });
      const said = await diagnose(client, { seconds: 5 });
      expect(rulesOf(said)).toContain('connect_timeout');
      expect(rulesOf(said)).not.toContain('retry_storm');
    });
  });
});

describe.skipIf(noFirewall)(
  `connects with a short patience${noFirewall ? ` (skipped: ${noFirewall})` : ''}`,
  () => {
    it('into nothing are found before a second SYN; refused ones are not taken for them', async () => {
      await withPair(async (server, client) => {
        await swallow(server, 7777);
        const hasty = await Trouble.start(client);
        await hasty.tryAgain({ address: SERVER_ADDRESS, port: 7777, timeoutMs: 800, pauseMs: 50, atOnce: 2 });
        const timeout = findingOf(await diagnose(client, { seconds: 5 }), 'connect_timeout');
        expect(timeout.subject).toMatchObject({ pid: hasty.pid, remote: `${SERVER_ADDRESS}:7777` });
        expect(evidenceOf(timeout, 'gave_up_after')?.text).toMatch(
          /before (the kernel sent a|a) second SYN( was seen)?: the timeout of the application/,
        );
      });
      await withFarPair(300, async (near, far) => {
        const [server, client] = await Promise.all([Trouble.start(far), Trouble.start(near)]);
        const port = await server.listen(FAR_ADDRESS);
        await server.serve();
        // The closed port and the open one answer after 0.6 s.
        await client.tryAgain({ address: FAR_ADDRESS, port: 9, timeoutMs: 20_000, pauseMs: 50 });
        await client.tryAgain({ address: FAR_ADDRESS, port, timeoutMs: 20_000, pauseMs: 50 });
        const said = await diagnose(near, { seconds: 6 });
        expect(rulesOf(said)).not.toContain('connect_timeout');
        const refused = findingOf(said, 'connect_refused');
        expect(evidenceOf(refused, 'OutRsts')?.text).toMatch(/: other hosts refuse$/);
      });
    });

    it('without a neighbour are ended by the kernel, and refused by nobody', async () => {
      await withPair(async (_, client) => {
        const stubborn = await Trouble.start(client);
        const absent = SERVER_ADDRESS.replace(/\d+$/, '99');
        // Without a timeout of its own.
        await stubborn.tryAgain({ address: absent, port: 7777, timeoutMs: 0, pauseMs: 50, atOnce: 6 });
        const said = await diagnose(client, { seconds: 8 });
        const timeout = findingOf(said, 'connect_timeout');
        expect(timeout.subject).toMatchObject({ pid: stubborn.pid, remote: `${absent}:7777` });
        expect(evidenceOf(timeout, 'gave_up_after')?.text).toMatch(
          /: no ARP answer: connect\(\) fails with EHOSTUNREACH after about 3 s$/,
        );
        expect(evidenceOf(timeout, 'neighbour')?.value).toBe(0);
        expect(rulesOf(said)).not.toContain('connect_refused');
      });
    });
  },
);

/** SYNs to a port vanish there. */
const swallow = (server: Namespace, port: number) =>
  server.must(
    'nft',
    `add table ip t; add chain ip t in { type filter hook input priority 0; }; add rule ip t in tcp dport ${port} drop`,
  );

async function setRange(namespace: Namespace, range: string, reserved = ''): Promise<void> {
  const write =
    'printf %s "$1" > /proc/sys/net/ipv4/ip_local_reserved_ports; printf %s "$2" > /proc/sys/net/ipv4/ip_local_port_range';
  await namespace.must('sh', '-c', write, 'sh', reserved, range);
}
