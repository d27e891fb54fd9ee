import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { METRIC_SPECS } from '../../src/analyze/check/metrics.js';
import { parseRange } from '../../src/analyze/ranges.js';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import { type CheckItem, type CheckResult, METRICS, STATUSES, worstStatus } from '../../src/model/check.js';
import { wallMillis } from '../../src/model/units.js';
import { checkJsonText } from '../../src/render/check/json.js';
import { nagiosText, nagiosUnknown } from '../../src/render/check/nagios.js';
import { prometheusText } from '../../src/render/check/prometheus.js';
import { checkText } from '../../src/render/check/text.js';
import { startWatch, step } from '../../src/watch/step.js';
import { parsePlugin } from '../support/perfdata.js';
import { listen, look, waiting } from '../support/table-builder.js';

const item = (rest: Partial<CheckItem> = {}): CheckItem => ({
  metric: 'accept-queue',
  subject: '0.0.0.0:443',
  value: 129,
  capacity: 129,
  text: 'accept queue 129/129 (100%)',
  limits: { warning: parseRange('@70:', 'w'), critical: parseRange('@90:', 'c') },
  raw: 'critical',
  status: 'critical',
  ...rest,
});

const result = (items: readonly CheckItem[], rest: Partial<CheckResult> = {}): CheckResult => ({
  status: worstStatus(items.map(({ status }) => status)),
  time: wallMillis(1_700_000_000_000),
  host: 'web-01',
  source: 'ss',
  samples: 1,
  items,
  news: 'none',
  notes: [],
  ...rest,
});

describe('output of a monitoring plugin', () => {
  it('says the worst first, and gives limits in the unit of the value', () => {
    const text = nagiosText(
      result([
        item({ owner: 'nginx/812', advice: 'raise the backlog' }),
        item({
          metric: 'oldest-wait',
          value: 1.2,
          limits: {},
          text: 'oldest has waited 1.2 s',
          status: 'ok',
          raw: 'ok',
        }),
        item({
          subject: '',
          metric: 'overflows',
          value: 2,
          text: '2 overflows',
          status: 'warning',
          raw: 'warning',
          limits: { warning: parseRange('0', 'w') },
        }),
      ]),
    );
    const { head, long, perfdata } = parsePlugin(text);
    expect(head).toBe('SOCKWATCH CRITICAL - 0.0.0.0:443 (nginx/812) accept queue 129/129 (100%), and 1 more');
    expect(head.length).toBeLessThanOrEqual(120);
    expect(long).toEqual([
      'CRITICAL: 0.0.0.0:443 (nginx/812) accept queue 129/129 (100%)',
      'WARNING: 2 overflows',
      'to do: raise the backlog',
    ]);
    expect(perfdata).toMatchObject([
      { label: '0.0.0.0:443_acceptq', value: 129, warning: '@90.3:', critical: '@116.1:', min: 0, max: 129 },
      { label: '0.0.0.0:443_wait', value: 1.2, unit: 's' },
      { label: 'overflows', value: 2, warning: '0' },
    ]);
  });

  it('what --for still waits for is said, and is OK', () => {
    const { head, long } = parsePlugin(nagiosText(result([item({ status: 'ok' })])));
    expect(head).toContain('SOCKWATCH OK');
    expect(long[0]).toContain('OK (CRITICAL in this run)');
  });

  it('numbers labels that would repeat, also where they are cut', () => {
    const long = '🙂'.repeat(200);
    const items = ['a', 'a', 'a_2', long, long, long].map((subject) => item({ subject }));
    const labels = parsePlugin(nagiosText(result(items))).perfdata.map(({ label }) => label);
    expect(labels.slice(0, 3)).toEqual(['a_acceptq', 'a_2_acceptq', 'a_2_2_acceptq']);
    expect(new Set(labels).size).toBe(6);
    expect(labels[5]).toMatch(/^_{98}_3_acceptq$/);
  });

  it('a fault is one line, whatever it says', () => {
    expect(nagiosUnknown('a\nb|c\x1b[2J')).toBe('SOCKWATCH UNKNOWN - a b/c\\e[2J\n');
  });

  const hostile = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom("a'b=c|d", 'x\ny;1;2', '";\\\n{', '\x1b]0;x\x07', '\u202e', 'a b%', '🙂'.repeat(200)),
  );
  const anyItem = fc
    .record({
      metric: fc.constantFrom(...METRICS),
      subject: hostile,
      text: hostile,
      advice: hostile,
      owner: hostile,
      value: fc.double({ min: 0, max: 1e15, noNaN: true }),
      capacity: fc.double({ min: 1, max: 1e15, noNaN: true }),
      status: fc.constantFrom(...STATUSES),
    })
    .map((fields): CheckItem => item({ ...fields, raw: fields.status }));

  it('no process name, path or number breaks a format', () => {
    fc.assert(
      fc.property(
        fc.array(anyItem, { maxLength: 6 }),
        fc.array(hostile, { maxLength: 2 }),
        (items, notes) => {
          const all = result(items, { notes });
          parsePlugin(nagiosText(all, { verbose: true }));
          expect(checkText(all).split('\n').length).toBeLessThan(40);
          expect(checkText(all)).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
          const json = checkJsonText(all, (metric) => METRIC_SPECS[metric]);
          expect(json.trimEnd()).not.toContain('\n');
          expect(JSON.parse(json)).toMatchObject({ schema: 'sockwatch.check/1', status: all.status });
        },
      ),
      { numRuns: 300 },
    );
  });
});

const SAMPLE = /^[a-z_]+(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? -?[0-9.e+]+$/;

describe('metrics for Prometheus', () => {
  const report = (name: string) => {
    const owners = [{ pid: 1, fd: 3, name }];
    const observation = look(
      1000,
      [
        listen('0.0.0.0:443', [3, 8], { inode: 1, drops: 4 }, { owners }),
        listen('0.0.0.0:443', [1, 4], { inode: 2, drops: 1 }, { owners }),
        listen('/run/"x\\y"\n.sock', [1, 4], { inode: 3 }, { protocol: 'unix', owners }),
        waiting('10.0.0.1:443', '10.0.0.9:1', 1500),
      ],
      { counters: { ListenOverflows: 2, ListenDrops: 3 } },
    );
    return step(startWatch({ thresholds: DEFAULT_THRESHOLDS, oneLook: true }), observation).report;
  };
  const render = (name: string) =>
    prometheusText({
      version: '0.1.0',
      time: 1_700_000_000_500,
      seen: { result: result([item()]), report: report(name), facts: { timeWait: 5 } },
    });

  it('a reuseport group is one series: the longest queue, the sum of the drops', () => {
    const text = render('nginx');
    const labels = '{protocol="tcp",address="0.0.0.0",port="443",process="nginx",netns="ns"}';
    for (const line of [
      `sockwatch_listener_accept_queue_length${labels} 3`,
      `sockwatch_listener_accept_queue_capacity${labels} 5`,
      `sockwatch_listener_dropped_segments_total${labels} 5`,
      `sockwatch_listener_members${labels} 2`,
      `sockwatch_listener_accept_queue_oldest_seconds${labels} 1.5`,
      'sockwatch_netns_listen_overflows_total{netns="ns"} 2',
      'sockwatch_check_status 2',
      'sockwatch_scrape_success 1',
      'sockwatch_last_run_timestamp_seconds 1700000000.5',
      'sockwatch_sockets{state="established"} 1',
      'sockwatch_time_wait_sockets 5',
    ])
      expect(text.split('\n')).toContain(line);
  });

  it.each(['nginx', 'a"b\\c\nd', '\ud800', 'x}{= 1\n# HELP', '🙂'])(
    'process %j: every line is well formed, no series twice',
    (name) => {
      const text = render(name);
      expect(text.endsWith('\n')).toBe(true);
      const lines = text.slice(0, -1).split('\n');
      const samples = lines.filter((line) => !line.startsWith('#'));
      expect(samples.filter((line) => !SAMPLE.test(line))).toEqual([]);
      const series = samples.map((line) => line.slice(0, line.lastIndexOf(' ')));
      expect(new Set(series).size).toBe(series.length);
      const families = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2]);
      expect(new Set(families).size).toBe(families.length);
    },
  );

  it('a failed run tells that it failed, and no numbers', () => {
    const text = prometheusText({ version: '0.1.0', time: 5000 });
    expect(text).toContain('sockwatch_scrape_success 0\n');
    expect(text).not.toContain('listener');
  });
});
