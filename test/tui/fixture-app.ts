import type { Report } from '../../src/model/report.js';
import { millis, perSecond, wallMillis } from '../../src/model/units.js';
import { runTui } from '../../src/tui/app.js';
import { terminalFacts } from '../../src/tui/terminal-facts.js';
import { bigTable, HOSTILE, SKETCHES, sampleReport } from './sample-reports.js';

/**
 * The screen on generated reports, for tests in a pty: `FIXTURE` holds words that choose what they are:
 * `hostile`, `crash` (after 3 reports), `reject`, `throw` (the source breaks), `end` (the source ends), `fault`, `big`.
 */
const wishes = new Set((process.env.FIXTURE ?? '').split(' '));
const intervalMs = Number(process.env.FIXTURE_INTERVAL_MS ?? 200);
const pace = { intervalMs: 1000 };
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const tables = wishes.has('big') ? [bigTable(100_000), bigTable(100_000, 1)] : [];

async function* reports(): AsyncGenerator<Report> {
  for (let tick = 0; ; tick++) {
    if (tick === 3) misbehave();
    if (tick === 3 && wishes.has('end')) return;
    yield reportOf(tick);
    await sleep(intervalMs);
  }
}

function misbehave(): void {
  if (wishes.has('crash'))
    setImmediate(() => {
      throw new Error('boom in a callback');
    });
  if (wishes.has('reject')) void Promise.reject(new Error('boom in a promise'));
  if (wishes.has('throw')) throw new Error('the source broke');
}

function reportOf(tick: number): Report {
  const base = sampleReport({ sketches: wishes.has('hostile') ? HOSTILE : SKETCHES });
  const table = tables[tick % 2];
  return {
    ...base,
    origin: { ...base.origin, time: wallMillis(base.origin.time + tick * 1000) },
    rates: { ...base.rates, newPerSecond: perSecond(300 + 100 * Math.sin(tick / 5)) },
    ...(table !== undefined && { sockets: { table, ageMs: millis(0), complete: true } }),
    pace: {
      ...base.pace,
      ...(wishes.has('fault') &&
        tick > 2 && {
          fault: { why: 'ss was not found', remedy: 'apt install iproute2', sinceMs: millis(tick * 200) },
        }),
    },
  };
}

const { refuse } = terminalFacts(process.env);
if (refuse !== undefined) {
  console.error(refuse);
  process.exit(2);
}
const status = await runTui({
  reports: reports(),
  pace,
  host: 'web-01',
  demo: wishes.has('demo'),
  ascii: process.argv.includes('--ascii'),
  color: !process.argv.includes('--no-color'),
  mouse: !process.argv.includes('--no-mouse'),
  bell: false,
  onEnd: () => {
    if (wishes.has('slow-end')) return sleep(60_000).then(() => undefined);
    return undefined;
  },
});
process.exit(status);
