import { describe, expect, it } from 'vitest';
import type { CheckFlags } from '../../src/cli/check-flags.js';
import { readCheckOptions } from '../../src/cli/check-options.js';
import { CheckSettings } from '../../src/cli/check-settings.js';
import { CONFIG_TEMPLATE } from '../../src/cli/config-template.js';
import { readLiveSection } from '../../src/cli/live-config.js';
import type { Section } from '../../src/model/config.js';
import { ParseError } from '../../src/model/errors.js';
import { formatRange } from '../../src/model/ranges.js';
import { parseConfig } from '../../src/parse/config.js';

const BASE = {
  source: 'auto',
  'no-owners': false,
  verbose: false,
  'quiet-ok': false,
} as unknown as CheckFlags;

const sectionOf = (yaml: string, name: string) =>
  parseConfig(yaml, 'c.yaml').get(name)?.value as Section | undefined;

function read(flags: Partial<CheckFlags> = {}, yaml = '') {
  const all = { ...BASE, ...flags };
  return readCheckOptions(all, new CheckSettings(all, sectionOf(yaml, 'check')));
}

/** Ranges as text, by metric. */
function limits(flags: Partial<CheckFlags>, yaml?: string) {
  const entries = [...read(flags, yaml).limits].map(([metric, { warning, critical }]) => [
    metric,
    `${warning ? formatRange(warning) : ''};${critical ? formatRange(critical) : ''}`,
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

const failure = (flags: Partial<CheckFlags>, yaml?: string) => {
  try {
    read(flags, yaml);
  } catch (error) {
    if (error instanceof ParseError) return error.message;
    throw error;
  }
  return 'no error';
};

describe('what a check is told', () => {
  it('without a word: queues, waits and overflows', () => {
    expect(limits({})).toEqual({ 'accept-queue': '@70:;@90:', 'oldest-wait': ';@1:', overflows: '0;' });
    expect(read({}).collect).toMatchObject({ scope: 'troubled', owners: false });
  });

  it('looks into the namespaces that it is told, in whatever order they come', () => {
    expect(read({}).collect.netns).toBeUndefined();
    expect(read({ netns: ['web', 'shop', 'web'] }).collect.netns).toEqual(['web', 'shop']);
    expect(read({}, 'check:\n  netns: web, shop').collect.netns).toEqual(['web', 'shop']);
    expect(read({ netns: ['db'] }, 'check:\n  netns: [web, shop]').collect.netns).toEqual(['db']);
    expect(read({ netns: ['web', 'shop'] }).id).toBe(read({}, 'check:\n  netns: [shop, web]').id);
    expect(read({ netns: ['web', 'web'] }).id).toBe(read({ netns: ['web'] }).id);
    expect(read({ netns: ['web'] }).id).not.toBe(read({ netns: ['web', 'shop'] }).id);
    expect(failure({ netns: ['web', ''] })).toBe(
      '--netns: expected a name, a pid, a path or all, got "web,"',
    );
    expect(failure({ netns: ['web', 'all'] })).toBe(
      '--netns: expected all alone, or names without it, got "web,all"',
    );
    expect(failure({}, 'check:\n  netns: [all, web]')).toContain('expected all alone');
  });

  it('samples queues between looks as often as it is told', () => {
    expect(read({}).collect.sampleHz).toBe(100);
    expect(read({ 'sample-rate': '20' }).collect.sampleHz).toBe(20);
    expect(read({}, 'check:\n  sample-rate: 0').collect.sampleHz).toBe(0);
    expect(read({ metric: ['time-wait'] }).collect.sampleHz).toBe(0);
    for (const wrong of ['101', '0.01', '-1', 'often', '1e2'])
      expect(failure({ 'sample-rate': wrong })).toBe(
        `--sample-rate: expected 0, or a number of samples per second from 0.1 to 100, got ${JSON.stringify(wrong)}`,
      );
    expect(readLiveSection(sectionOf('live:\n  sample-rate: 50', 'live'), () => false)).toEqual({
      'sample-rate': 50,
    });
  });

  it('looks more than once for a diagnosis, unless it is told how often', () => {
    expect(read({})).toMatchObject({ samples: 1, everyMs: 100 });
    expect(read({ metric: ['diagnosis'] })).toMatchObject({ samples: 3, everyMs: 500 });
    expect(read({ metric: ['diagnosis'], samples: '6', every: '1s' })).toMatchObject({
      samples: 6,
      everyMs: 1000,
    });
  });

  it('a range without a name is for the metric that was named, else for the queues', () => {
    expect(limits({ warning: ['60'] })['accept-queue']).toBe('60;@90:');
    expect(limits({ metric: ['time-wait'], warning: ['5000'] })).toEqual({ 'time-wait': '5000;' });
    expect(limits({ metric: ['time-wait,orphans'], critical: ['orphans=9'] })).toEqual({
      'time-wait': ';',
      orphans: ';9',
    });
  });

  it('--expect alone checks nothing else; with a range the queues too', () => {
    expect(Object.keys(limits({ expect: ['443=nginx'] }))).toEqual(['listener']);
    expect(read({ expect: ['443=nginx'] }).collect.owners).toBe(true);
    expect(Object.keys(limits({ expect: ['443'], warning: ['50'] }))).toContain('accept-queue');
  });

  it('reads only what the metrics need', () => {
    expect(read({ metric: ['close-wait'] }).collect).toMatchObject({
      scope: 'all',
      owners: true,
      details: false,
    });
    expect(read({ metric: ['time-wait'] }).collect).toMatchObject({ scope: 'listeners', owners: false });
    expect(read({ metric: ['connections'], by: 'process' }).collect.owners).toBe(true);
  });

  it('the command line comes before the configuration', () => {
    const yaml =
      'check:\n  metrics:\n    accept-queue: {warning: 50, critical: 60}\n    orphans: {}\n  samples: 5\n  every: 20ms\n  for: 2/3\n  port: 443\n';
    expect(limits({}, yaml)).toEqual({ 'accept-queue': '50;60', orphans: ';' });
    expect(limits({ warning: ['accept-queue=10'] }, yaml)['accept-queue']).toBe('10;60');
    expect(read({ samples: '3' }, yaml)).toMatchObject({
      samples: 3,
      everyMs: 20,
      persistence: { least: 2, of: 3 },
    });
    expect(read({ port: ['80'] }, yaml).wish.selection.places).toMatchObject([{ port: 80 }]);
  });

  it('two checks have two names, the same check has one', () => {
    const ids = [read({}), read({}), read({ port: ['443'] }), read({ warning: ['5'] })].map(({ id }) => id);
    expect(ids[0]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(3);
  });

  it.each([
    [{ metric: ['x'] }, undefined, '--metric: expected one of'],
    [{ warning: ['x'] }, undefined, '--warning: expected a range'],
    [{ warning: ['orphans=5'] }, undefined, '--warning: expected a range of accept-queue or'],
    [{ metric: ['overflows'], warning: ['5%'] }, undefined, 'overflows has no percentages'],
    [{ metric: ['overflows,orphans'], warning: ['5'] }, undefined, 'METRIC=RANGE'],
    [{ port: ['70000'] }, undefined, '--port: expected PORT'],
    [{ listener: ['x:80'] }, undefined, '--listener: expected an IP address'],
    [{ expect: ['443='] }, undefined, '--expect: expected a process name'],
    [{ for: '3/2' }, undefined, '--for: expected k/n'],
    [{ samples: '0' }, undefined, '--samples: expected a number from 1'],
    [{ samples: '200' }, undefined, '--timeout: expected more time than the samples take'],
    [{ every: '5' }, undefined, '--every: expected a duration'],
    [{}, 'check:\n  every: 5\n', 'c.yaml:2: check.every: expected a duration'],
    [{}, 'check:\n  format: xml\n', 'c.yaml:2: check.format: expected one of nagios'],
    [{}, 'check:\n  colour: red\n', 'c.yaml:2: check.colour: expected one of'],
    [
      {},
      'check:\n  metrics: {orphans: 5}\n',
      'c.yaml:2: check.metrics.orphans: expected warning: and critical: below it',
    ],
    [{}, 'check:\n  port: {a: 1}\n', 'c.yaml:2: check.port: expected a value or a list'],
    [{}, 'check:\n  samples: [1]\n', 'c.yaml:2: check.samples: expected one value'],
  ] as [Partial<CheckFlags>, string | undefined, string][])('%j %j: %s', (flags, yaml, message) => {
    expect(failure(flags, yaml)).toContain(message);
  });

  it('the template says what holds without it, and can be read', () => {
    expect(limits({}, CONFIG_TEMPLATE)).toEqual(limits({}));
    const all = CONFIG_TEMPLATE.replace(/^( +)# (?=[a-z-]+: )/gm, '$1');
    expect(() => read({}, all)).not.toThrow();
    expect(Object.keys(limits({}, all))).toHaveLength(16);
    expect(readLiveSection(sectionOf(all, 'live'), () => false)).toMatchObject({
      interval: 1000,
      warn: 0.7,
      port: ['443=50:80'],
    });
  });
});

describe('what live is told by the configuration', () => {
  it('what the command line gave stands', () => {
    const live = sectionOf('live: {interval: 2s, warn: 50, on-alert: "a b"}\n', 'live');
    expect(readLiveSection(live, (name) => name === 'warn')).toEqual({ interval: 2000, 'on-alert': 'a b' });
    expect(readLiveSection(undefined, () => false)).toEqual({});
  });

  it.each([
    ['live: {interval: 1ms}\n', 'c.yaml:1: live.interval: expected at least 50ms'],
    ['live:\n  warn: x\n', 'c.yaml:2: live.warn: expected a percentage'],
    ['live:\n  colour: red\n', 'c.yaml:2: live.colour: expected one of'],
  ])('%j: %s', (yaml, message) => {
    expect(() => readLiveSection(sectionOf(yaml, 'live'), () => false)).toThrow(message);
  });
});
