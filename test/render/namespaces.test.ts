import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import type { Namespace } from '../../src/model/namespace.js';
import type { Report } from '../../src/model/report.js';
import { toEventJson, toSnapshotJson } from '../../src/render/json.js';
import { homeText } from '../../src/render/labels.js';
import { reportLines } from '../../src/render/lines.js';
import { PLAIN_NAMES } from '../../src/render/names.js';
import { Pseudonyms } from '../../src/render/redact.js';
import { snapshotCsv } from '../../src/render/snapshot-csv.js';
import { snapshotJson } from '../../src/render/snapshot-json.js';
import { snapshotTable } from '../../src/render/snapshot-table.js';
import { startWatch, step } from '../../src/watch/step.js';
import { all, DB, HOST, into, WEB } from '../support/namespaces.js';
import { listen, row } from '../support/table-builder.js';

const listener = (inode: number, pid: number) =>
  listen('10.0.0.5:8080', [0, 9], { inode }, { owners: [{ pid, fd: 6, name: 'nginx' }] });
const connection = row({
  local: '10.0.0.5:8080',
  remote: '10.0.0.9:4000',
  columns: { inode: 9 },
  owners: [],
});

/** Two looks: in between the listener of the container changed hands. */
function report(db: Namespace = DB): Report {
  const watch = startWatch({ thresholds: DEFAULT_THRESHOLDS });
  const round = (at: number, inode: number, pid: number) =>
    all(at, [into(HOST, at, [listener(1, 5)]), into(db, at, [listener(inode, pid), connection])]);
  return step(step(watch, round(0, 2, 640)).state, round(1000, 3, 812)).report;
}

const join = (pieces: Iterable<string>) => [...pieces].join('');

const schema = (name: string) =>
  JSON.parse(
    readFileSync(fileURLToPath(new URL(`../../schema/${name}.schema.json`, import.meta.url)), 'utf8'),
  );

describe('several namespaces in every output', () => {
  it('JSON: of each listener and connection, and the list of them', () => {
    const said = toSnapshotJson(report(), { connections: Uint32Array.of(2) });
    expect(
      said.listeners.map(({ netns, netns_name: name, container, container_id: id, pod, unit }) => ({
        netns,
        name,
        container,
        id,
        pod,
        unit,
      })),
    ).toEqual([
      { netns: '102', name: 'db', container: 'db', id: 'a'.repeat(64), pod: 'p1', unit: undefined },
      { netns: 'ns', name: 'host', container: undefined, id: undefined, pod: undefined, unit: undefined },
    ]);
    expect(said.connections).toMatchObject([{ netns: '102', netns_name: 'db', direction: 'inbound' }]);
    expect(said.namespaces).toEqual([
      { id: 'ns', name: 'host' },
      { id: '102', container: 'db', container_id: 'a'.repeat(64), runtime: 'docker', pod: 'p1' },
    ]);
    const validate = new Ajv({ allowUnionTypes: true }).compile(schema('snapshot'));
    expect(validate(said), JSON.stringify(validate.errors)).toBe(true);
  });

  it('what is streamed is the same, row by row', () => {
    const rows = Uint32Array.of(2);
    for (const names of [PLAIN_NAMES, new Pseudonyms()]) {
      const streamed = Buffer.concat(
        [...snapshotJson(report(), { connections: rows, names })].map((one) => Buffer.from(one)),
      );
      expect(JSON.parse(streamed.toString())).toEqual(toSnapshotJson(report(), { connections: rows, names }));
    }
    const evil = report({ id: '102', name: '\u202eä"\n' });
    const streamed = Buffer.concat(
      [...snapshotJson(evil, { connections: rows })].map((one) => Buffer.from(one)),
    ).toString();
    expect(JSON.parse(streamed).connections[0].netns_name).toBe('\u202eä"\n');
    expect(streamed).not.toContain('\u202e');
  });

  it('a change is an event of its own', () => {
    const { changes = [], origin } = report();
    const [event] = changes.map((change) => toEventJson(change, origin));
    expect(event).toMatchObject({
      schema: 'sockwatch.event/1',
      event: 'takeover',
      rule: 'takeover',
      severity: 'info',
      host: 'web-01',
      netns: '102',
      subject: '10.0.0.5:8080 (netns db)',
      message: 'taken over by nginx/812, was nginx/640; no connections are left on nginx/640',
    });
    const validate = new Ajv({ allowUnionTypes: true }).compile(schema('event'));
    expect(validate(event), JSON.stringify(validate.errors)).toBe(true);
    expect([...reportLines(report(), { color: false })]).toEqual([
      '2023-11-14T22:13:21.000Z EVENT takeover 10.0.0.5:8080 (netns db) taken over by nginx/812, was nginx/640; no connections are left on nginx/640',
    ]);
  });

  it('tables have a column for it, CSV its fields behind all others', () => {
    const table = join(
      snapshotTable(report(), { listeners: true, connections: Uint32Array.of(2), color: false }),
    );
    expect(table).toMatch(/^S +NETNS +LOCAL/);
    expect(table).toMatch(/\nok +db +10\.0\.0\.5:8080 +nginx\/812/);
    expect(table).toMatch(/\nNETNS +PROTO/);
    const [head, first] = join(snapshotCsv(report(), { listeners: true })).split('\n');
    expect(head).toMatch(/,advice,netns_name,container,pod,unit\r?$/);
    expect(first).toMatch(/,db,db,p1,\r?$/);
  });

  it('--redact hides names of namespaces, containers, pods and units, in sentences too', () => {
    const names = new Pseudonyms();
    const text =
      JSON.stringify(toSnapshotJson(report(), { names })) +
      JSON.stringify(report().changes?.map((change) => toEventJson(change, report().origin, names))) +
      join(snapshotTable(report(), { listeners: true, color: false, names }));
    for (const name of ['"db"', 'netns db', 'aaaa', '"p1"', 'nginx']) expect(text).not.toContain(name);
    expect(text).toContain('container-');
    expect(text).toContain('"host"');
  });

  it('names are hostile: nothing of them reaches a terminal', () => {
    const evil = '\x1b[2Jweb\n\u202e';
    const hostile = report({ id: '102', name: evil, unit: evil, container: { id: evil, name: evil } });
    const text =
      join(snapshotTable(hostile, { listeners: true, connections: Uint32Array.of(2), color: false })) +
      [...reportLines(hostile, { color: false })].join('') +
      homeText({ unit: evil, pod: evil, container: { id: evil } }, PLAIN_NAMES);
    expect(text).toContain('\\e[2Jweb\\n\\u{202e}');
    expect(text).not.toMatch(/[\x1b\u202e]/);
  });

  it('where a listener lives, in words', () => {
    expect(homeText(DB, PLAIN_NAMES)).toBe('container db (docker), pod p1');
    expect(homeText(WEB, PLAIN_NAMES)).toBe('unit web.service');
    expect(homeText({ container: { id: 'c'.repeat(64) } }, PLAIN_NAMES)).toBe(`container ${'c'.repeat(12)}`);
    expect(homeText({}, PLAIN_NAMES)).toBe('');
  });
});
