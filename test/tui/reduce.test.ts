import { describe, expect, it } from 'vitest';
import { wallMillis } from '../../src/model/units.js';
import { alertRows, openAlerts } from '../../src/tui/alert-rows.js';
import { frameOf } from '../../src/tui/frame.js';
import { layoutOf } from '../../src/tui/panels.js';
import { reduce } from '../../src/tui/reduce.js';
import { isStale, settle } from '../../src/tui/settle.js';
import { cpuMillis } from '../support/cpu-time.js';
import { bigTable, HOSTILE, NOW, raised, SKETCHES, sampleReport } from './sample-reports.js';
import { after, pictureOf, press, shownUi } from './ui.js';

process.env.TZ = 'UTC';

const later = (seconds: number, report = sampleReport()) => ({
  ...report,
  origin: { ...report.origin, time: wallMillis(NOW + seconds * 1000) },
});
const keysOf = (state: ReturnType<typeof shownUi>) =>
  state.listeners.items.map(({ listener }) =>
    listener.local.kind === 'ip' ? listener.local.port : listener.local.path,
  );

describe('pools', () => {
  const shown = press(shownUi(), 'p');
  const idsOf = (state: typeof shown) => state.pools.items.map(({ id }) => id);

  it('get the focus, and with it the keys', () => {
    expect(shown.focus).toBe('connections');
    expect(shown.pools.items.length).toBeGreaterThan(2);
    const second = press(shown, 'j', 'enter');
    expect(second.overlay).toMatchObject({ kind: 'pool', id: idsOf(shown)[1], gone: false });
  });

  it('are sorted by what the picker names, and the selected one stays selected', () => {
    const selected = press(shown, 'j');
    const byProcess = press(selected, 's', 'end', 'k', 'enter');
    expect(byProcess.pools.sorting).toEqual({ by: 'process', descending: false });
    const processes = byProcess.pools.items.map(({ process }) => process);
    expect(processes).toEqual([...processes].sort());
    expect(idsOf(byProcess)).not.toEqual(idsOf(shown));
    expect(byProcess.pools.items[byProcess.pools.cursor.index]?.id).toBe(idsOf(shown)[1]);
    const reversed = press(byProcess, 'r');
    expect(reversed.pools.items.map(({ process }) => process)).toEqual([...processes].sort().reverse());
    expect(press(shown, '>').pools.sorting).toEqual({ by: 'busy', descending: true });
    expect(press(shown, '>').connections.sorting).toEqual(shown.connections.sorting);
  });

  it('keep their details when they are gone, and say so', () => {
    const open = press(shown, 'enter');
    const { sockets: _, ...empty } = sampleReport();
    const after = settle(reduce(open, { type: 'report', report: empty }));
    expect(after.overlay).toMatchObject({ kind: 'pool', gone: true, last: { id: idsOf(shown)[0] } });
  });
});

describe('ended connections', () => {
  const shown = press(shownUi(), 'e', '4');

  it('take the place of the connections, and Esc brings those back', () => {
    expect(shown.closed.items.map(({ id }) => id)).toEqual(['web', 'db', 'refused']);
    expect(press(shown, 'escape').showClosed).toBe(false);
    expect(press(shown, 'p')).toMatchObject({ showClosed: false, showPools: true });
    expect(press(shownUi(), 'p', 'e')).toMatchObject({ showClosed: true, showPools: false });
  });

  it('are sorted and filtered like other lists', () => {
    expect(press(shown, 's', 'j', 'j', 'enter').closed.items[0]?.id).toBe('refused');
    expect(press(shown, '>', '>', 'r').closed.items[0]?.id).toBe('web');
    const filtered = press(shown, '/', '"rport:3306"', 'enter');
    expect(filtered.closed.items.map(({ id }) => id)).toEqual(['db']);
    expect(press(shown, '/', '"lport:443 process:nginx"', 'enter').closed.items.map(({ id }) => id)).toEqual([
      'web',
    ]);
    expect(press(shown, '/', '"remote:fd00::/16"', 'enter').closed.items.map(({ id }) => id)).toEqual([
      'refused',
    ]);
  });

  it('keep the one that is selected when the order changes', () => {
    const second = press(shown, 'j');
    expect(second.closed.items[second.closed.cursor.index]?.id).toBe('db');
    const sorted = press(second, '>', 'r');
    expect(sorted.closed.items[sorted.closed.cursor.index]?.id).toBe('db');
  });
});

describe('lists', () => {
  it('shows the worst listener first and starts on it', () => {
    const state = shownUi();
    expect(keysOf(state).slice(0, 2)).toEqual([443, 80]);
    expect(state.listeners.cursor).toEqual({ index: 0, top: 0, pinned: false });
  });

  it('a listener that was chosen stays chosen when it moves', () => {
    const chosen = press(shownUi(), 'j');
    const calm = SKETCHES.map((sketch, index) =>
      index === 0 ? { local: sketch.local, length: 0, backlog: 128 } : sketch,
    );
    const next = after(chosen, { type: 'report', report: later(1, sampleReport({ sketches: calm })) });
    expect(keysOf(next)[next.listeners.cursor.index]).toBe(80);
    expect(next.listeners.cursor.index).toBe(0);
  });

  it('the cursor that nobody moved stays on top', () => {
    const next = after(shownUi(), { type: 'report', report: later(1, sampleReport({ sketches: HOSTILE })) });
    expect(next.listeners.cursor.index).toBe(0);
  });

  it('a connection that was chosen stays chosen in the next table', () => {
    const table = (shift: number) => ({
      ...sampleReport(),
      sockets: { ...sampleReport().sockets, table: bigTable(2000, shift), complete: true } as never,
    });
    const chosen = press(shownUi({ report: table(0) }), '4', ...Array<string>(25).fill('j'));
    const { rows, cursor } = chosen.connections;
    expect(cursor.index).toBe(25);
    const inode = chosen.connections.table?.get('inode', rows[25] ?? 0);
    const next = after(chosen, { type: 'report', report: later(1, table(777)) });
    const moved = next.connections;
    expect(moved.table?.get('inode', moved.rows[moved.cursor.index] ?? 0)).toBe(inode);
    expect(moved.cursor.index).not.toBe(25);
    expect(moved.cursor.index - moved.cursor.top).toBeLessThan(12);
  });

  it('pages, halves, first and last', () => {
    const report = {
      ...sampleReport(),
      sockets: { ...sampleReport().sockets, table: bigTable(500), complete: true } as never,
    };
    const start = press(shownUi({ report }), '4');
    const rows = (layoutOf(start).panels.get('connections')?.height ?? 0) - 3;
    expect(press(start, 'pagedown').connections.cursor.index).toBe(rows);
    expect(press(start, 'C-d').connections.cursor.index).toBe(Math.floor(rows / 2));
    expect(press(start, 'G').connections.cursor).toMatchObject({ index: 499, top: 500 - rows });
    expect(press(start, 'G', 'g').connections.cursor).toEqual({ index: 0, top: 0, pinned: false });
    expect(press(start, 'up').connections.cursor.index).toBe(0);
  });
});

describe('work', () => {
  it('a key that moves makes nothing anew; filter, order and a new table do', () => {
    const state = press(shownUi(), '4');
    const moved = reduce(state, { type: 'input', input: { kind: 'key', name: 'j' } });
    expect(isStale(moved)).toBe(false);
    const reversed = reduce(moved, { type: 'input', input: { kind: 'key', name: 'r' } });
    expect(isStale(reversed)).toBe(true);
    expect(settle(reversed).connections.rows).not.toBe(moved.connections.rows);
    const same = after(state, {
      type: 'report',
      report: { ...sampleReport(), sockets: state.report?.sockets as never },
    });
    expect(same.connections.rows).toBe(state.connections.rows);
  });
});

describe('100,000 connections', () => {
  it('a key and its frame cost what is on the screen, not what is in the table', () => {
    const report = {
      ...sampleReport(),
      sockets: { ...sampleReport().sockets, table: bigTable(100_000), complete: true } as never,
    };
    let state = press(shownUi({ columns: 200, rows: 50, report }), '4');
    const times: number[] = [];
    for (let press = 0; press < 20; press++) {
      const start = cpuMillis();
      state = reduce(state, { type: 'input', input: { kind: 'key', name: 'pagedown' } });
      frameOf(state);
      times.push(cpuMillis() - start);
    }
    expect(state.connections.cursor.index).toBeGreaterThan(100);
    // Measured: 5 to 9 ms, nearly all for 50 lines of 200 columns. The bound is for a busy machine; work per row of the table would take far longer.
    expect(times.sort((a, b) => a - b)[10]).toBeLessThan(40);
  });
});

describe('pause', () => {
  it('holds the screen, counts new alerts, and shows the newest on return', () => {
    const paused = press(shownUi(), 'space');
    const [alert] = sampleReport().alerts;
    if (alert === undefined) throw new Error('no alert');
    const report = later(9, { ...sampleReport({ sketches: HOSTILE }), events: [raised(alert)] });
    const waiting = after(paused, { type: 'report', report });
    expect(waiting.report).toBe(paused.report);
    expect(pictureOf(waiting).split('\n')[0]).toContain('PAUSED 12:04:31 (+9s)  1 new alert');
    expect(press(waiting, 'j').listeners.cursor.index).toBe(1);
    expect(press(waiting, 'r').listeners.items[0]).not.toBe(waiting.listeners.items[0]);
    const back = press(waiting, 'space');
    expect(back.report).toBe(report);
    expect(keysOf(back)).toContain(8443);
  });
});

describe('alerts', () => {
  it('acknowledges the worst, then the next; what is cleared is forgotten', () => {
    const state = shownUi();
    expect(openAlerts(state)).toEqual({ info: 0, warning: 1, critical: 1 });
    const once = press(state, 'a');
    expect(openAlerts(once)).toEqual({ info: 0, warning: 1, critical: 0 });
    expect(alertRows(once).map(({ kind }) => kind)).toEqual(['active', 'note', 'acknowledged']);
    expect(openAlerts(press(once, 'a'))).toEqual({ info: 0, warning: 0, critical: 0 });
    const [alert] = sampleReport().alerts;
    if (alert === undefined) throw new Error('no alert');
    const cleared = after(once, {
      type: 'report',
      report: { ...later(1), alerts: [], events: [raised(alert, 'cleared')] },
    });
    expect(alertRows(cleared).at(-1)).toMatchObject({ kind: 'past', lastedMs: 12_000 });
    const again = after(cleared, { type: 'report', report: later(2) });
    expect(openAlerts(again).critical).toBe(1);
  });

  it('acknowledges the selected one where the alerts have the focus, and opens its listener', () => {
    const second = press(shownUi(), '5', 'j', 'a');
    expect([...second.acknowledged]).toEqual(['accept_queue_filling/4026531840/81201']);
    const opened = press(shownUi(), '5', 'j', 'enter');
    expect(opened.overlay).toMatchObject({ kind: 'listener', key: '4026531840/81201' });
  });
});

describe('order, panels and rate', () => {
  it('the picker changes the order of the panel', () => {
    const picked = press(shownUi(), 's', 'j', 'enter');
    expect(picked.overlay).toBeUndefined();
    expect(picked.listeners.sorting.by).not.toBe('trouble');
    expect(press(picked, '<').listeners.sorting.by).toBe('trouble');
    expect(picked.listeners.sorting).toEqual({ by: 'address', descending: false });
    expect(press(picked, 'r').listeners.sorting.descending).toBe(true);
  });

  it('Tab goes round the shown panels, numbers go straight there', () => {
    const state = shownUi();
    const round = ['tab', 'tab', 'tab', 'tab', 'tab'].map(
      (_, index, all) => press(state, ...all.slice(0, index + 1)).focus,
    );
    expect(round).toEqual(['fill', 'rate', 'connections', 'alerts', 'listeners']);
    expect(press(state, 'S-tab').focus).toBe('alerts');
    expect(press(state, '4').focus).toBe('connections');
    const small = shownUi({ columns: 80, rows: 24 });
    expect(press(small, '2').focus).toBe('fill');
    expect(press(small, '2', '1').focus).toBe('listeners');
  });

  it('+ and - step through the intervals and stop at the ends', () => {
    const state = shownUi();
    expect(press(state, '+').intervalMs).toBe(500);
    expect(press(state, '-').intervalMs).toBe(2000);
    expect(press(state, ...Array<string>(20).fill('+')).intervalMs).toBe(250);
    expect(press(state, ...Array<string>(20).fill('-')).intervalMs).toBe(60_000);
  });

  it('Esc closes one thing at a time and never quits', () => {
    const full = press(shownUi(), '/', '"port:443"', 'enter', 'z', 'p', '?');
    const steps = [1, 2, 3, 4].map((count) => press(full, ...Array<string>(count).fill('escape')));
    expect(
      steps.map(({ overlay, showPools, zoomed, filter }) => [
        overlay?.kind,
        showPools,
        zoomed,
        filter.active?.text,
      ]),
    ).toEqual([
      [undefined, true, true, 'port:443'],
      [undefined, false, true, 'port:443'],
      [undefined, false, false, 'port:443'],
      [undefined, false, false, undefined],
    ]);
  });

  it('Esc in the filter bar brings back what was active', () => {
    const state = press(shownUi(), '/', '"port:443"', 'enter', '/', '"9"', 'escape');
    expect(state.filter).toEqual({ active: expect.objectContaining({ text: 'port:443' }) });
  });

  it('a click selects, the wheel scrolls', () => {
    const mouse = (what: 'press' | 'wheel-down', x: number, y: number) =>
      after(shownUi(), { type: 'input', input: { kind: 'mouse', what, x, y } });
    expect(mouse('press', 10, 5)).toMatchObject({
      focus: 'listeners',
      listeners: { cursor: { index: 2, pinned: true } },
    });
    const { y = 0 } = layoutOf(shownUi()).panels.get('connections') ?? {};
    expect(mouse('wheel-down', 10, y + 3)).toMatchObject({
      focus: 'connections',
      connections: { cursor: { index: 3 } },
    });
  });
});

describe('details', () => {
  it('follow their listener, and say when it is gone', () => {
    const open = press(shownUi(), 'enter');
    expect(pictureOf(open)).toContain('Listener 0.0.0.0:443');
    const gone = after(open, { type: 'report', report: later(1, sampleReport({ sketches: [] })) });
    expect(pictureOf(gone)).toContain('closed: what was seen last');
    expect(pictureOf(gone)).toContain('129 connections wait for accept(), 129 fit');
  });

  it('of a connection that is gone keep what was seen', () => {
    const open = press(shownUi(), '4', 'enter');
    const gone = after(open, {
      type: 'report',
      report: later(5, {
        ...sampleReport(),
        sockets: { ...sampleReport().sockets, table: bigTable(10), complete: true } as never,
      }),
    });
    expect(pictureOf(gone)).toContain('gone: seen last');
    expect(pictureOf(gone)).toContain('198.51.100.9:40990');
  });
});
