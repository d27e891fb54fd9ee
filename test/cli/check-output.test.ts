import { describe, expect, it } from 'vitest';
import { formatCheck } from '../../src/cli/check-output.js';
import { lookTimes } from '../../src/cli/check-run.js';
import { namesFor } from '../../src/cli/names.js';
import type { CheckItem, Metric } from '../../src/model/check.js';
import type { LookObservation } from '../../src/model/observation.js';
import { wallMillis } from '../../src/model/units.js';
import { withoutSums } from '../../src/render/check/headline.js';
import { listen, look, type RowSpec, row } from '../support/table-builder.js';

const LEAKER = { pid: 700, fd: 3, name: 'leaky-app' };
const CALLER = { pid: 701, fd: 3, name: 'caller-app' };
const SERVER = { pid: 702, fd: 3, name: 'server-app' };
const NAMES = /leaky|caller-|server-|10\.0\.0\./;

const connection = (n: number, rest: RowSpec): RowSpec =>
  row({
    local: `10.0.0.1:${40_000 + n}`,
    remote: '10.0.0.9:3306',
    cookie: n + 1,
    ...rest,
    columns: { inode: 100 + n, lastSentMs: 500, lastReceivedMs: 480, lastAckMs: 9000, ...rest.columns },
  });
const rows = (n: number): RowSpec[] => [
  listen('10.0.0.1:443', [0, 128], { inode: 7 }, { owners: [SERVER] }),
  connection(1, { owners: [CALLER] }),
  // Data that nobody reads, which only the watch over several looks finds.
  connection(2, { owners: [CALLER], queues: [60_000 + n, 0] }),
  connection(3, { owners: [LEAKER], state: 'close-wait' }),
];

const METRICS: Metric[] = [
  'close-wait',
  'close-wait-age',
  'pool',
  'connections',
  'diagnosis',
  'accept-queue',
];

/** The output of a check in which every measure is a problem. */
async function outputOf(
  format: 'nagios' | 'text' | 'json' | 'prometheus',
  redact: boolean,
  metrics: readonly Metric[] = METRICS,
): Promise<string> {
  async function* looks(): AsyncGenerator<LookObservation> {
    for (let at = 0; at < 4; at++) yield look(at * 1000, rows(at), { counters: {} });
  }
  const wish = { metrics, selection: { places: [] }, expect: [], by: 'process' as const };
  const { measures, report, facts } = await lookTimes({ wish, samples: 4 }, 'first look', looks());
  const items = measures.map(
    (one): CheckItem => ({ ...one, limits: {}, raw: 'critical', status: 'critical' }),
  );
  const result = {
    status: 'critical' as const,
    time: wallMillis(0),
    host: 'web-01',
    source: 'netlink',
    samples: 4,
    items,
    news: 'changed' as const,
    notes: [],
  };
  const names = namesFor({ redact });
  return formatCheck({ result, report, facts }, { wish, format, names, verbose: true, version: '1' });
}

describe('what a check says of processes', () => {
  it.each(['nagios', 'text', 'json', 'prometheus'] as const)(
    'as %s is hidden by --redact',
    async (format) => {
      expect(await outputOf(format, true)).not.toMatch(NAMES);
    },
  );

  it('is hidden in a diagnosis alone', async () => {
    const text = await outputOf('nagios', true, ['diagnosis']);
    expect(text).toMatch(/process-\d\/701 does not read from 1 connection to ip-\d:3306/);
    expect(text).not.toMatch(NAMES);
  });

  it('has one series for all that a diagnosis finds, which says nothing beside its parts', async () => {
    const text = await outputOf('nagios', false, ['diagnosis']);
    expect(text).toMatch(/\| diagnosis=1;;;0; app_not_reading_diagnosis=1;;;0;$/m);
    expect(text).not.toMatch(/ more|diagnose finds/);
    expect(await outputOf('prometheus', false, ['diagnosis'])).toContain(
      'sockwatch_check_value{metric="diagnosis",subject=""} 1\n',
    );
    const sum = {
      metric: 'diagnosis' as const,
      subject: '',
      value: 2,
      text: 'the sum',
      isSum: true as const,
    };
    const critical = { limits: {}, raw: 'critical' as const, status: 'critical' as const };
    // A finding of each run lasts, though none of them did.
    expect(withoutSums([{ ...sum, ...critical }])).toHaveLength(1);
  });

  it('is said without', async () => {
    const text = await outputOf('nagios', false);
    for (const { name, pid } of [LEAKER, CALLER]) expect(text).toContain(`${name}/${pid}`);
    expect(text).toContain('does not read from 1 connection');
    const hidden = await outputOf('nagios', true);
    expect(hidden).toMatch(/process-\d\/700 has not closed 1 connection/);
  });
});
