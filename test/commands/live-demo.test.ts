import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import type { AlertJson, SnapshotJson } from '../../src/model/json.js';
import type { ListenerJson } from '../../src/model/listener-json.js';
import { needs } from '../support/needs.js';
import { Running } from '../support/running.js';

const reason = needs({ programs: ['ss'] });
const CYCLE = ['--demo-cycle', '10s', '--interval', '200ms'];

const parse = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as SnapshotJson | AlertJson);

describe.skipIf(reason)(`live --demo${reason ? ` (skipped: ${reason})` : ''}`, () => {
  it('goes through filling, full, overflowing and ok, with alerts, and leaves nothing', async () => {
    const live = Running.start(['live', '--demo', '--format', 'ndjson', '--duration', '9500ms', ...CYCLE]);
    const { code, stdout, stderr } = await live.ended(30_000);
    expect(code).toBe(0);
    const said = parse(stdout);
    expect(said.map(({ schema }) => schema)).toContain('sockwatch.alert/1');
    for (const line of said) expect(faultsOf(line)).toEqual([]);
    const listeners = said.flatMap((line) => (line.schema === 'sockwatch.snapshot/1' ? line.listeners : []));
    const [first] = listeners;
    expect(new Set(listeners.map(({ local }) => local)).size).toBe(1);
    expect(first).toMatchObject({ accept_queue: { backlog: 16, capacity: 17 }, verdict: 'ok' });
    expect(stderr).toContain(`the demo listens on ${first?.local}`);

    const at = (verdicts: readonly ListenerJson['verdict'][]) =>
      listeners.findIndex(({ verdict }) => verdicts.includes(verdict));
    const [filling, full, overflowing] = [
      at(['filling', 'slow_acceptor']),
      at(['full', 'stopped_acceptor']),
      at(['overflowing']),
    ];
    expect(filling).toBeGreaterThan(0);
    expect(full).toBeGreaterThan(filling);
    expect(overflowing).toBeGreaterThan(full);
    expect(listeners[overflowing]).toMatchObject({ accept_queue: { length: 17, fill: 1 } });
    expect(listeners.at(-1)?.accept_queue.length).toBeLessThan(5);

    const alerts = said.filter((line): line is AlertJson => line.schema === 'sockwatch.alert/1');
    const raised = alerts.filter(({ phase }) => phase === 'raised').map(({ rule }) => rule);
    expect(raised).toContain('accept_queue_overflow');
    expect(existsListener(first?.local_port)).toBe(false);
  });

  it('ends what it started when it is interrupted with its acceptor stopped', async () => {
    const live = Running.start([
      'live',
      '--demo',
      '--format',
      'ndjson',
      '--demo-cycle',
      '2s',
      '--interval',
      '100ms',
    ]);
    const line = await live.line(/"verdict":"(full|overflowing|stopped_acceptor)"/);
    const port = (JSON.parse(line) as SnapshotJson).listeners[0]?.local_port;
    expect(existsListener(port)).toBe(true);
    live.signal('SIGINT');
    expect((await live.ended(5000)).code).toBe(130);
    expect(existsListener(port)).toBe(false);
  });
});

const validator = (name: string) => {
  const schema = readFileSync(new URL(`../../schema/${name}.schema.json`, import.meta.url), 'utf8');
  return new Ajv({ allowUnionTypes: true }).compile(JSON.parse(schema));
};
const VALIDATORS = {
  'sockwatch.snapshot/1': validator('snapshot'),
  'sockwatch.alert/1': validator('alert'),
};

/** What the published schema of its kind has against a line. */
function faultsOf(line: SnapshotJson | AlertJson): unknown[] {
  const validate = VALIDATORS[line.schema];
  return validate(line) ? [] : (validate.errors ?? ['invalid']);
}

const existsListener = (port: number | undefined): boolean => {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  return execFileSync('ss', ['-Htln', `sport = :${port}`], { encoding: 'utf8', env }).trim() !== '';
};
