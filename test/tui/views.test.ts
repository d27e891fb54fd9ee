import { describe, expect, it } from 'vitest';
import { millis, perSecond } from '../../src/model/units.js';
import type { GlyphSet } from '../../src/tui/glyphs.js';
import type { PoolRow } from '../../src/tui/pool-rows.js';
import { POOL_FINDING, SAMPLE_POOL } from './sample-pool.js';
import { HOSTILE, sampleReport } from './sample-reports.js';
import { after, pictureOf, press, shownUi } from './ui.js';

process.env.TZ = 'UTC';

const sizes = [
  [120, 40],
  [80, 24],
  [60, 15],
  [200, 50],
] as const;
const hostile = sampleReport({ sketches: HOSTILE });

describe('whole screens', () => {
  it.each(sizes)('%ix%i of a server in trouble', async (columns, rows) => {
    await expect(pictureOf(shownUi({ columns, rows }))).toMatchFileSnapshot(
      `snapshots/${columns}x${rows}.txt`,
    );
  });

  it.each(sizes)('%ix%i with hostile names and odd limits', async (columns, rows) => {
    await expect(pictureOf(shownUi({ columns, rows, report: hostile }))).toMatchFileSnapshot(
      `snapshots/${columns}x${rows}-hostile.txt`,
    );
  });

  it.each(['ascii', 'console'] as const)('120x40 in %s', async (glyphs: GlyphSet) => {
    await expect(pictureOf(shownUi({ glyphs }))).toMatchFileSnapshot(`snapshots/120x40-${glyphs}.txt`);
  });

  it.each([
    [59, 14],
    [59, 40],
    [200, 14],
  ])('%ix%i: one line that says what is needed', (columns, rows) => {
    expect(pictureOf(shownUi({ columns, rows })).trim()).toBe('terminal too small (need 60x15)');
  });

  it('every size from too small to large is filled exactly, with every overlay', () => {
    for (let columns = 1; columns <= 230; columns += 7) {
      for (let rows = 1; rows <= 70; rows += 3) {
        const state = shownUi({ columns, rows, report: hostile });
        for (const keys of [
          [],
          ['?'],
          ['s'],
          ['enter'],
          ['4', 'enter'],
          ['z'],
          ['c'],
          ['p'],
          ['p', 'enter'],
          ['e'],
          ['e', 'j', 'enter'],
          ['/', '"por"'],
        ]) {
          const picture = pictureOf(press(state, ...keys));
          expect(picture).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
        }
      }
    }
  }, 120_000);

  it('has no more than ASCII in ASCII mode but for names, which the screen replaces', () => {
    expect(pictureOf(shownUi({ glyphs: 'ascii' }))).toMatch(/^[\x20-\x7e\n]*$/);
  });
});

describe('overlays', () => {
  it.each([
    ['listener', ['enter']],
    ['connection', ['4', 'j', 'j', 'enter']],
    ['help', ['?']],
    ['sort', ['s']],
    ['pools', ['p']],
    ['pool-detail', ['p', 'enter']],
    ['ended', ['e']],
    ['ended-detail', ['e', 'enter']],
    ['charts', ['c']],
  ] as const)('%s at 120x40', async (name, keys) => {
    await expect(pictureOf(press(shownUi(), ...keys))).toMatchFileSnapshot(`snapshots/120x40-${name}.txt`);
  });

  it('charts take the place of the listeners at 80x24', async () => {
    const state = press(shownUi({ columns: 80, rows: 24 }), 'c');
    await expect(pictureOf(state)).toMatchFileSnapshot('snapshots/80x24-charts.txt');
  });
});

describe('states', () => {
  const first = (state: ReturnType<typeof shownUi>) => pictureOf(state).split('\n')[0] ?? '';

  it('live, with its interval', () => {
    expect(first(shownUi())).toContain('LIVE 1.0s 12:04:31');
  });

  it('slow source: how long it took and what was skipped', () => {
    const pace = { intervalMs: millis(1000), tookMs: millis(1400), skippedTicks: 1 };
    expect(first(shownUi({ report: sampleReport({ pace }) }))).toContain(
      'LIVE 1.0s (took 1.4 s, skipped 1) 12:04:31',
    );
  });

  it('paused: since when and for how long', () => {
    const paused = press(shownUi(), 'space');
    const later = after(paused, { type: 'tick', now: paused.now + 38_000 });
    expect(first(later)).toContain('PAUSED 12:04:31 (+38s)');
  });

  it('source error: the last good data stand, with their age and the remedy', () => {
    const fault = { why: 'ss was not found', remedy: 'apt install iproute2', sinceMs: millis(4200) };
    const pace = { intervalMs: millis(1000), tookMs: millis(0), skippedTicks: 0, fault };
    const picture = pictureOf(shownUi({ report: sampleReport({ pace }) }));
    expect(picture.split('\n')[0]).toContain('SOURCE ERROR  data 4.2 s old');
    expect(picture).toContain('0.0.0.0:443');
    expect(picture.split('\n')[39]).toBe(' SOURCE ERROR  ss was not found: apt install iproute2');
  });

  it('demo', () => {
    expect(first(shownUi({ demo: true }))).toContain('sockwatch live   DEMO ');
  });

  it('no sockets at all', () => {
    const picture = pictureOf(shownUi({ report: sampleReport({ sketches: [] }) }));
    expect(picture).toContain('No listening sockets in this namespace.');
  });

  it('no permission: `?` for owners, and said once', () => {
    const picture = pictureOf(shownUi());
    expect(picture).toMatch(/0\.0\.0\.0:9100 +\? /);
    expect(picture.match(/owners hidden/g)).toHaveLength(1);
  });

  it('an old table says how old', () => {
    const base = sampleReport();
    if (base.sockets === undefined) throw new Error('no table');
    const report = { ...base, sockets: { ...base.sockets, ageMs: millis(6500) } };
    expect(pictureOf(shownUi({ report }))).toMatch(/4 Connections 22 {2}6\.5 s old/);
  });

  it('a filter that matches, and one that matches nothing', () => {
    const filtered = press(shownUi(), '/', '"port:3306"', 'enter');
    expect(pictureOf(filtered)).toMatch(/4 Connections 12 of 22 {3}filter: port:3306 /);
    expect(pictureOf(filtered)).toContain('1 Listeners 6  none match the filter: all shown');
    const nothing = press(filtered, '/', 'C-u', '"port:9"', 'enter');
    expect(pictureOf(nothing)).toContain('0 of 22 match "port:9" - Esc clears');
  });

  it('a bad filter stays in the bar with its error, and the last good one keeps working', () => {
    const bad = press(shownUi(), '/', '"port:3306"', 'enter', '/', '"x:"', 'enter');
    const lines = pictureOf(bad).split('\n');
    expect(lines[39]).toMatch(/^ Filter: port:3306x: {4,}! .*expected/);
    expect(pictureOf(bad)).toContain('4 Connections 12 of 22');
  });

  it('a listener has its rates at 120 columns, as least where they are', () => {
    const lines = pictureOf(shownUi()).split('\n');
    expect(lines[2]).toMatch(/ 60s +DROP\/s +NEW\/s +ACC\/s +END\/s VERDICT /);
    expect(lines.find((one) => one.includes('127.0.0.1:5432'))).toMatch(/ 0 +≥3 +≥1\.5 +≥2 ok /);
  });

  it('unknown rates are `?`', () => {
    const picture = first(shownUi({ report: sampleReport({ rates: {} }) }));
    expect(picture).toContain('OVERFLOW ?');
    expect(picture).toContain('IN ?  OUT ?');
  });

  it('connections that come in and connects that go out are told apart', () => {
    const rates = { newPerSecond: perSecond(0), openedPerSecond: perSecond(8329) };
    const picture = pictureOf(shownUi({ report: sampleReport({ rates }) }));
    expect(picture).toContain('IN +0/s  OUT +8,329/s');
    expect(picture).toMatch(/3 New\/s, thousands {2}\S in 0 {2}\S out 8,329 {2}max 8,329 /);
  });

  it('the key bar names pools and ended connections at 80 columns', () => {
    expect(pictureOf(shownUi({ columns: 80, rows: 24 }))).toMatch(/ p Pools {2}e Ended {2}.*q Quit/);
  });

  it('details of a pool say how it is used, what was found, and what is not known', () => {
    const state = press(shownUi(), 'p');
    const [first] = state.pools.items;
    if (first === undefined) throw new Error('no pool');
    const withUse: PoolRow = { ...first, use: SAMPLE_POOL };
    const shown = pictureOf({ ...press(state, 'enter'), overlay: poolOverlay(withUse) });
    expect(shown).toMatch(/in use +4 busy, 5 idle, 1 not known +inferred/);
    expect(shown).toMatch(/other states +3 CLOSE-WAIT, 20 TIME-WAIT/);
    expect(shown).toMatch(/closed when idle +after 15\.0 s by the peer, 7 times/);
    expect(shown).toMatch(/TCP keep-alive +2 with, 8 without(?!,)/);
    const busy = { ...SAMPLE_POOL, probes: { ...SAMPLE_POOL.probes, kept: 0, bare: 1 } };
    expect(pictureOf({ ...state, overlay: poolOverlay({ ...first, use: busy }) })).toMatch(
      /TCP keep-alive +1 without, 9 not to be told/,
    );
    expect(shown).toMatch(/age +>1m30s +>10m00s/);
    expect(shown).toContain(POOL_FINDING.message);
    expect(shown).toContain(`To do: ${POOL_FINDING.advice}`);
    const { use: _, ...unknown } = withUse;
    expect(pictureOf({ ...state, overlay: poolOverlay(unknown) })).toContain(
      'How they are used is not known',
    );
  });

  it('before the first look', () => {
    const state = { ...shownUi(), report: undefined, listed: undefined };
    expect(pictureOf(after(state, { type: 'tick', now: state.now }))).toContain('STARTING');
  });
});

const poolOverlay = (last: PoolRow) => ({ kind: 'pool', id: last.id, scroll: 0, last, gone: false }) as const;
