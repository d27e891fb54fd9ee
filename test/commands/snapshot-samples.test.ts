import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import { FORMATS } from '../../src/cli/snapshot-flags.js';
import { writeView } from '../../src/cli/snapshot-output.js';
import { selectView } from '../../src/cli/snapshot-view.js';
import { readSaved } from '../../src/collect/saved.js';
import type { SnapshotJson } from '../../src/model/json.js';
import type { Report } from '../../src/model/report.js';
import { PLAIN_NAMES } from '../../src/render/names.js';
import { startWatch, step } from '../../src/watch/step.js';
import { sharedDir, sharedMissing } from '../support/shared.js';

const schema = fileURLToPath(new URL('../../schema/snapshot.schema.json', import.meta.url));
const validate = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(readFileSync(schema, 'utf8')));

const folder = `${sharedDir}ss-samples/`;
// Counts of `ss -s`, files of /proc, and what ss says to options that it does not have.
const OTHER = /^linux-|-ss-(s|tanB|tlnpZ)\.txt$/;
/** A head without a socket, and addresses that were made unreadable before they were published. */
const EMPTY = /-ss-(0|M|w)lnp\.txt$|^finwait2-timers\.txt$/;
const samples =
  sharedDir === undefined
    ? []
    : readdirSync(folder).filter((name) => name.endsWith('.txt') && !OTHER.test(name));

const everything = { connections: false, all: true, udp: true, unix: true, reverse: false, saved: true };

async function lookAt(sample: string): Promise<Report> {
  const config = { thresholds: DEFAULT_THRESHOLDS, oneLook: true };
  return step(startWatch(config), await readSaved(folder + sample)).report;
}

function write(report: Report, format: (typeof FORMATS)[number]): string {
  const view = selectView(report, { ...everything, 'group-by': undefined }, undefined, { descending: false });
  return [...writeView(view, { format }, PLAIN_NAMES, { color: false })].join('');
}

describe.skipIf(sharedMissing)(`samples of ss${sharedMissing ? ` (skipped: ${sharedMissing})` : ''}`, () => {
  it.each(samples)('%s is sound in every format', async (sample) => {
    const report = await lookAt(sample);
    const said = JSON.parse(write(report, 'json')) as SnapshotJson;
    expect(validate(said) ? [] : validate.errors).toEqual([]);
    const sockets = said.listeners.length + (said.connections?.length ?? 0);
    if (!EMPTY.test(sample)) expect(sockets).toBeGreaterThan(0);
    for (const format of FORMATS)
      expect(write(report, format)).not.toMatch(/[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]/);
    expect(write(report, 'ndjson').trimEnd().split('\n')).toHaveLength(sockets + 2);
    expect(write(report, 'csv').trimEnd().split('\r\n')).toHaveLength(sockets + 1);
  });

  it('what ss said to a wrong option is an error that shows it', async () => {
    await expect(lookAt('debian12-iproute2-6.1-ss-tanB.txt')).rejects.toThrow(
      /expected .*invalid option -- 'B'/,
    );
  });

  it('a full accept queue reads as a person reads it', async () => {
    const said = JSON.parse(
      write(await lookAt('debian12-iproute2-6.1-acceptq-full-ss_tlnp.txt'), 'json'),
    ) as SnapshotJson;
    expect(said.listeners).toHaveLength(1);
    expect(said.listeners[0]).toMatchObject({
      local: '10.77.0.1:9601',
      accept_queue: { length: 3, backlog: 2, capacity: 3, fill: 1 },
      verdict: 'full',
      findings: expect.arrayContaining(['accept_queue_full']),
    });
    // Nothing but listeners was saved: who waits, and for how long, is unknown.
    expect(said.listeners[0]).not.toHaveProperty('waiting');
  });
});
