import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { judgePools } from '../../src/analyze/pools.js';
import { topPools } from '../../src/cli/pools-run.js';
import { PLAIN_NAMES } from '../../src/render/names.js';
import { poolsCsv } from '../../src/render/pools/csv.js';
import { learnNames, poolsJson, poolsNdjson } from '../../src/render/pools/json.js';
import { poolsTable } from '../../src/render/pools/table.js';
import { Pseudonyms } from '../../src/render/redact.js';
import { PoolWatch } from '../../src/watch/pools.js';
import { listen, look, type RowSpec } from '../support/table-builder.js';

const EVIL = '=a\x1b[2J"\n,b\u202e';
const owners = [{ pid: 7, fd: 1, name: EVIL }];
const columns = {
  inode: 1,
  lastSentMs: 300,
  lastReceivedMs: 320,
  bytesSent: 9,
  bytesReceived: 9,
  rttMs: 0.2,
};

/** A pool that is exhausted, of a process with a hostile name, and HikariCP with another. */
function report() {
  const watch = new PoolWatch();
  const rows = (at: number) =>
    [1, 2, 3, 4].map(
      (n): RowSpec => ({
        local: `[2001:db8::1]:${n}`,
        remote: '[2001:db8::9]:3306',
        cookie: n,
        owners,
        columns: { ...columns, bytesSent: 9 + at, bytesReceived: 9 + at },
      }),
    );
  for (let at = 0; at < 4; at++) watch.take(look(at * 1000, [listen('0.0.0.0:443', [0, 8]), ...rows(at)]));
  const seen = watch.report();
  if (seen === undefined) throw new Error('no look');
  return judgePools(seen, { hikari: [{ name: `p${EVIL}`, total: 4, active: 1, idle: 0, waiting: 0 }] });
}

const text = (pieces: Iterable<string>) => [...pieces].join('');
const schemaOf = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../schema/${name}.schema.json`, import.meta.url), 'utf8'));

describe('the output of pools', () => {
  it('lets no name of a process or pool speak to the terminal', () => {
    for (const output of [
      text(poolsTable(report(), PLAIN_NAMES, { color: false })),
      text(poolsJson(report(), PLAIN_NAMES)),
      text(poolsNdjson(report(), PLAIN_NAMES)),
      text(poolsCsv(report(), PLAIN_NAMES)).replaceAll('\r\n', ''),
    ])
      expect(output).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    expect(text(poolsCsv(report(), PLAIN_NAMES)).split('\r\n')).toHaveLength(3);
  });

  it('hides addresses and names everywhere', () => {
    for (const write of [poolsJson, poolsNdjson, poolsCsv])
      expect(text(write(report(), new Pseudonyms()))).not.toMatch(/2001:db8|\[2J|web-01/);
    const table = text(poolsTable(report(), new Pseudonyms(), { color: false }));
    expect(table).not.toMatch(/2001:db8|\[2J/);
    expect(table).toContain('process-1/7');
  });

  it('has a column for traffic only where something streams', () => {
    const watch = (columnsAt: (at: number) => object) => {
      const pools = new PoolWatch();
      for (let at = 0; at < 4; at++)
        pools.take(
          look(at * 1000, [
            { local: '10.0.0.1:4000', remote: '10.0.0.9:80', cookie: 1, owners, columns: columnsAt(at) },
          ]),
        );
      const seen = pools.report();
      if (seen === undefined) throw new Error('no look');
      return text(poolsTable(judgePools(seen), PLAIN_NAMES, { color: false }));
    };
    const stream = watch((at) => ({ ...columns, dataSegmentsOut: 1, dataSegmentsIn: at * 5 }));
    expect(stream).toMatch(/ TRAFFIC .*\n.* 1 push /);
    expect(stream).toContain('TRAFFIC is a guess from what moved between looks');
    const http = watch((at) => ({ ...columns, dataSegmentsOut: at, dataSegmentsIn: at }));
    expect(http).not.toContain('TRAFFIC');
  });

  it('keeps its sentences whole where a process is named as a word of them', () => {
    const names = new Pseudonyms();
    learnNames(report(), names);
    names.owner({ pid: 7, fd: 1, name: 'to' });
    names.owner({ pid: 8, fd: 1, name: 'postgres' });
    expect(names.sentence('none of to/7 to port 5432 (postgres) of postgres/8 is to be seen')).toBe(
      'none of process-2/7 to port 5432 (postgres) of process-3/8 is to be seen',
    );
  });

  it('says in its lines what a finding is about, and how much was seen', () => {
    const lines = text(poolsNdjson(report(), PLAIN_NAMES))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0].findings[0]).toMatchObject({
      rule: 'pool_exhausted',
      sure: 'suspected',
      about: { direction: 'outbound', pid: 7, remote: '[2001:db8::9]:3306' },
    });
    expect(lines.at(-1)).toMatchObject({ connections: 4, listeners: 0, pools: 1 });
  });

  it('leaves the other numbers as they are where only the first pools are shown', () => {
    const whole = report();
    const [pool] = whole.pools;
    if (pool === undefined) throw new Error('no pool');
    const inbound = { ...pool, direction: 'inbound' as const };
    const end = { ...pool.end, port: 5432 } as typeof pool.end;
    const two = {
      ...whole,
      pools: [inbound, pool],
      remotes: [{ ...whole.remotes[0], end }, ...whole.remotes],
    };
    const top = topPools(two as typeof whole, 1);
    expect(top.remotes).toEqual([]);
    expect(topPools({ ...two, pools: [pool, inbound] } as typeof whole, 1).remotes).toEqual(whole.remotes);
    expect(top.opensSeen).toBe(whole.opensSeen);
  });

  it('is what the schemas say', () => {
    const ajv = new Ajv({ strict: false });
    const whole = JSON.parse(text(poolsJson(report(), PLAIN_NAMES)));
    expect(ajv.validate(schemaOf('pools'), whole), ajv.errorsText()).toBe(true);
    expect(whole.pools[0]).toMatchObject({
      process: EVIL,
      remote: '[2001:db8::9]:3306',
      open: 4,
      busy: 4,
      findings: ['pool_exhausted'],
    });
    expect(whole.pools[0].hikari.disagreements).toHaveLength(1);
    const [head, line, end] = text(poolsNdjson(report(), PLAIN_NAMES)).split('\n');
    for (const [name, json] of [
      ['header', head],
      ['pool', line],
      ['end', end],
    ])
      expect(ajv.validate(schemaOf(name ?? ''), JSON.parse(json ?? '')), `${name}: ${ajv.errorsText()}`).toBe(
        true,
      );
  });

  it('fits a narrow terminal', () => {
    for (const line of text(poolsTable(report(), PLAIN_NAMES, { color: false, width: 80 })).split('\n'))
      expect(line.length).toBeLessThanOrEqual(80);
  });
});
