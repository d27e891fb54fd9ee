import { readFileSync } from 'node:fs';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import { CLOSE_KINDS } from '../../src/model/closed.js';
import type { ClosedObservation } from '../../src/model/observation.js';
import { SocketTable } from '../../src/model/table.js';
import { millis, monotonicMillis, wallMillis } from '../../src/model/units.js';
import { ClosedParser, type Wire, wireOf } from '../../src/parse/netlink/index.js';
import { startWatch, step } from '../../src/watch/step.js';
import { summarise, type Times } from './measure.js';

const say = (text: string) => process.stdout.write(`${text}\n`);
const EVENTS = 10_000;
const RUNS = 15;
const MESSAGE_BYTES = 380;
const COOKIE_AT = 60;

/** What 10,000 connections that end cost, without the kernel: read from its messages, and judged by the watch. */
export function measureClosed(): { readonly read: Times; readonly judge: Times; readonly cpuMs: number } {
  const recorded = new Uint8Array(
    readFileSync(new URL('../../fixtures/netlink/linux-6.18-closed.bin', import.meta.url)),
  );
  const messages = connectionsOf(recorded);
  const read: number[] = [];
  const judge: number[] = [];
  const cpu: number[] = [];
  for (let run = 0; run <= RUNS; run++) {
    const cpuBefore = process.cpuUsage();
    const start = performance.now();
    const parser = new ClosedParser();
    for (let event = 0; event < EVENTS; event++) {
      const { wire, view } = messages[event % messages.length] as Message;
      // No two sockets have the same cookie.
      view.setUint32(COOKIE_AT, event + 1, true);
      parser.read(wire, MESSAGE_BYTES);
    }
    const { sockets } = parser.end();
    const between = performance.now();
    judgeBatch(sockets);
    const end = performance.now();
    const { user, system } = process.cpuUsage(cpuBefore);
    if (run === 0) continue;
    read.push(between - start);
    judge.push(end - between);
    cpu.push((user + system) / 1000);
  }
  const figures = { read: summarise(read), judge: summarise(judge), cpuMs: summarise(cpu).median };
  const perSecond = (EVENTS * 1000) / (figures.read.median + figures.judge.median);
  say(`\nconnections that end, ${EVENTS.toLocaleString('en')} events (ms)`);
  for (const name of ['read', 'judge'] as const) {
    const { min, median, max } = figures[name];
    say(`${name.padEnd(34)}${[min, median, max].map((ms) => ms.toFixed(2).padStart(11)).join('')}`);
  }
  say(
    `${Math.round(perSecond).toLocaleString('en')} events per second; ${figures.cpuMs.toFixed(1)} ms of CPU for them`,
  );
  return figures;
}

interface Message {
  readonly wire: Wire;
  readonly view: DataView;
}

/** Messages about connections, each on its own. */
function connectionsOf(recorded: Uint8Array): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at < recorded.length; at += MESSAGE_BYTES) {
    const message = recorded.slice(at, at + MESSAGE_BYTES);
    const wire = wireOf(message);
    const parser = new ClosedParser();
    parser.read(wire, message.length);
    const { sockets } = parser.end();
    if (sockets.get('closeKind', 0) === CLOSE_KINDS.indexOf('connection'))
      messages.push({ wire, view: new DataView(message.buffer) });
  }
  return messages;
}

const originAt = (ms: number) => ({
  time: wallMillis(ms),
  monotonic: monotonicMillis(ms),
  host: 'bench',
  source: 'netlink' as const,
});

/** Between two empty tables: what a host with many connections adds is the join by cookie, one look-up for each of its sockets. */
function judgeBatch(sockets: SocketTable): void {
  const table = (ms: number) => ({
    kind: 'table' as const,
    origin: originAt(ms),
    scope: 'all' as const,
    sockets: new SocketTable(),
    tookMs: millis(1),
    skippedTicks: 0,
    gaps: [],
  });
  const closed: ClosedObservation = {
    kind: 'closed',
    origin: originAt(900),
    sockets,
    incomplete: false,
    lost: 0,
    spanMs: millis(900),
    unconnected: 0,
    failedConnects: 0,
    gaps: [],
  };
  let { state } = step(startWatch({ thresholds: DEFAULT_THRESHOLDS }), table(0));
  state = step(state, closed).state;
  const { report } = step(state, table(1000));
  if (report.closed?.closed !== EVENTS) throw new Error(`${report.closed?.closed} of ${EVENTS} were counted`);
}
