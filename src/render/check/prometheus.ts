import { type CheckItem, type CheckResult, exitCodeOf } from '../../model/check.js';
import type { HostFacts } from '../../model/host-facts.js';
import type { Listener, ListenerReport } from '../../model/listener.js';
import type { Report } from '../../model/report.js';
import { SOCKET_STATES } from '../../model/sockets.js';
import { type Names, PLAIN_NAMES } from '../names.js';
import { cleanText } from '../text.js';

export interface PrometheusInput {
  readonly version: string;
  /** Absent: the run has failed, and only that is told. */
  readonly seen?:
    | { readonly result: CheckResult; readonly report: Report; readonly facts: HostFacts }
    | undefined;
  /** Wall clock of the run, ms. */
  readonly time: number;
  readonly names?: Names;
}

type Labels = Readonly<Record<string, string>>;

/** One family: HELP and TYPE once, then its samples together (OPS.md 3). */
class Families {
  private readonly lines: string[] = [];

  add(
    name: string,
    type: 'gauge' | 'counter',
    help: string,
    samples: readonly (readonly [Labels, number])[],
  ): void {
    if (samples.length === 0) return;
    const full = `sockwatch_${name}`;
    this.lines.push(`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`);
    for (const [labels, value] of samples) this.lines.push(`${full}${labelText(labels)} ${value}`);
  }

  text(): string {
    return `${this.lines.join('\n')}\n`;
  }
}

const VALUE_LENGTH = 128;

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

/** Process names and paths are hostile. What is no Unicode becomes the replacement character when it is written. */
const escapeValue = (value: string): string =>
  cleanText(value)
    .slice(0, VALUE_LENGTH)
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n');

/** Metrics in the classic text format, for the textfile collector of node_exporter. No timestamps, and a final newline. */
export function prometheusText({ version, seen, time, names = PLAIN_NAMES }: PrometheusInput): string {
  const families = new Families();
  families.add('scrape_success', 'gauge', 'Whether sockwatch could look at the sockets.', [
    [{}, seen === undefined ? 0 : 1],
  ]);
  families.add('last_run_timestamp_seconds', 'gauge', 'When sockwatch ran last.', [
    [{}, Math.round(time) / 1000],
  ]);
  families.add('build_info', 'gauge', 'The version of sockwatch.', [[{ version }, 1]]);
  if (seen === undefined) return families.text();
  const { result, report, facts } = seen;
  addChecks(families, result, names);
  addValues(families, result, names);
  addListeners(families, report.listeners, names);
  addCounters(families, report);
  addSockets(families, report);
  addFacts(families, facts);
  return families.text();
}

function addChecks(families: Families, { status, items }: CheckResult, names: Names): void {
  families.add(
    'check_status',
    'gauge',
    'Status of the whole check: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.',
    [[{}, exitCodeOf(status)]],
  );
  // Remote addresses and processes as labels would make a new series with each of them.
  const worst = new Map<string, number>();
  const weight = [0, 2, 3, 1];
  for (const item of items) {
    const code = exitCodeOf(item.status);
    const known = worst.get(item.metric);
    if (known === undefined || (weight[code] ?? 0) > (weight[known] ?? 0)) worst.set(item.metric, code);
  }
  families.add(
    'metric_status',
    'gauge',
    'Worst status of each metric that was checked.',
    [...worst].map(([metric, code]) => [{ metric: names.sentence(metric) }, code]),
  );
}

/** What the listener families below do not have, of the worst: names of remotes would make a new series with each of them. */
const MOST_VALUES = 50;
const OWN_FAMILY: ReadonlySet<string> = new Set([
  'accept-queue',
  'oldest-wait',
  'overflows',
  'dropped-segments',
  'syn-queue',
  'time-wait',
  'orphans',
]);

function addValues(families: Families, { items }: CheckResult, names: Names): void {
  const told = items
    .filter(({ metric, value }) => value !== undefined && !OWN_FAMILY.has(metric))
    .slice(0, MOST_VALUES);
  const labels = ({ metric, subject }: CheckItem): Labels => ({ metric, subject: names.sentence(subject) });
  families.add(
    'check_value',
    'gauge',
    'What was measured, in the unit of the metric.',
    told.map((item) => [labels(item), item.value ?? 0]),
  );
  families.add(
    'check_capacity',
    'gauge',
    'What the value is a part of.',
    told.flatMap((item): [Labels, number][] =>
      item.capacity === undefined ? [] : [[labels(item), item.capacity]],
    ),
  );
}

interface Group {
  readonly labels: Labels;
  readonly members: readonly ListenerReport[];
}

/** Members of a SO_REUSEPORT group have one name: the longest queue and the sum of the drops stand for all. */
function groupsOf(reports: readonly ListenerReport[], names: Names): Group[] {
  const groups = new Map<string, { labels: Labels; members: ListenerReport[] }>();
  for (const report of reports) {
    const labels = labelsOf(report.listener, names);
    const key = JSON.stringify(labels);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { labels, members: [report] });
    else group.members.push(report);
  }
  return [...groups.values()];
}

function labelsOf({ protocol, local, owners, netns }: Listener, names: Names): Labels {
  const name = owners?.[0] === undefined ? {} : { process: names.owner(owners[0]).name };
  const where =
    local.kind === 'ip'
      ? { address: names.host(local), port: String(local.port ?? '') }
      : { address: names.endpoint(local) };
  return { protocol, ...where, ...name, ...(netns !== undefined && { netns }) };
}

function addListeners(families: Families, reports: readonly ListenerReport[], names: Names): void {
  const groups = groupsOf(reports, names);
  const add = (
    name: string,
    type: 'gauge' | 'counter',
    help: string,
    read: (members: readonly ListenerReport[]) => number | undefined,
  ) => {
    const samples = groups.flatMap(({ labels, members }): [Labels, number][] => {
      const value = read(members);
      return value === undefined ? [] : [[labels, value]];
    });
    families.add(`listener_${name}`, type, help, samples);
  };
  const lengthOf = ({ listener, window }: ListenerReport) =>
    Math.max(listener.acceptQueue.length, window?.peak ?? 0);
  add(
    'accept_queue_length',
    'gauge',
    'Connections that wait for accept(), the highest of this run.',
    (members) => Math.max(...members.map(lengthOf)),
  );
  add('accept_queue_limit', 'gauge', 'The backlog as it is set.', (members) =>
    lowest(members.map(({ listener }) => listener.acceptQueue.backlog)),
  );
  add(
    'accept_queue_capacity',
    'gauge',
    'Connections that the accept queue holds: the backlog and one more.',
    (members) => lowest(members.map(({ listener }) => listener.acceptQueue.capacity)),
  );
  add(
    'accept_queue_oldest_seconds',
    'gauge',
    'How long the oldest connection has waited for accept().',
    (members) => {
      const ms = highest(
        members.map(({ listener }) => (listener.waiting ?? listener.group?.waiting)?.oldestMs),
      );
      return ms === undefined ? undefined : ms / 1000;
    },
  );
  add('syn_recv_sockets', 'gauge', 'Handshakes that are not complete (SYN-RECV).', (members) =>
    highest(members.map(({ listener }) => (listener.synQueue ?? listener.group?.synQueue)?.length)),
  );
  add(
    'dropped_segments_total',
    'counter',
    'Segments that the listener dropped, for any reason.',
    (members) => {
      const drops = members.map(({ listener }) => listener.droppedSegments);
      return drops.includes(undefined) ? undefined : drops.reduce<number>((sum, one) => sum + (one ?? 0), 0);
    },
  );
  add('members', 'gauge', 'Sockets that share the address with SO_REUSEPORT.', (members) => members.length);
}

const highest = (values: readonly (number | undefined)[]) => pick(values, Math.max);
const lowest = (values: readonly (number | undefined)[]) => pick(values, Math.min);
function pick(
  values: readonly (number | undefined)[],
  best: (...values: number[]) => number,
): number | undefined {
  const there = values.filter((value) => value !== undefined);
  return there.length === 0 ? undefined : best(...there);
}

/** Counters of the namespace: what they are called here, by the kernel's name. */
const COUNTERS = {
  ListenOverflows: ['listen_overflows_total', 'Segments dropped because an accept queue was full.'],
  ListenDrops: ['listen_drops_total', 'Segments that listeners dropped, for any reason.'],
  TCPReqQFullDrop: ['syn_queue_full_drops_total', 'SYNs dropped because a SYN queue was full.'],
  TCPReqQFullDoCookies: ['syn_queue_full_cookies_total', 'SYN cookies sent because a SYN queue was full.'],
  PassiveOpens: ['passive_opens_total', 'Connections that were completed by a client.'],
} as const;

function addCounters(families: Families, { counters, origin }: Report): void {
  const labels = origin.netns === undefined ? {} : { netns: origin.netns };
  for (const [kernel, [name, help]] of Object.entries(COUNTERS)) {
    const value = counters?.[kernel];
    if (value !== undefined) families.add(`netns_${name}`, 'counter', help, [[labels, value]]);
  }
}

/** Only where all sockets were read: a number of some is no number of sockets. */
function addSockets(families: Families, { sockets }: Report): void {
  if (sockets === undefined || !sockets.complete) return;
  const { table } = sockets;
  const counts = new Array<number>(SOCKET_STATES.length).fill(0);
  for (let row = 0; row < table.length; row++) {
    if (table.family[row] === 0) continue;
    const state = table.state[row] ?? 0;
    counts[state] = (counts[state] ?? 0) + 1;
  }
  families.add(
    'sockets',
    'gauge',
    'TCP and UDP sockets by state.',
    SOCKET_STATES.flatMap((state, index): [Labels, number][] =>
      state === 'unknown' ? [] : [[{ state: state.replaceAll('-', '_') }, counts[index] ?? 0]],
    ),
  );
}

function addFacts(families: Families, { timeWait, orphans, memoryPages }: HostFacts): void {
  const add = (name: string, help: string, value: number | undefined) => {
    if (value !== undefined) families.add(name, 'gauge', help, [[{}, value]]);
  };
  add(
    'time_wait_sockets',
    'TIME-WAIT sockets of the network namespace, FIN-WAIT-2 of closed ones included.',
    timeWait,
  );
  add('orphaned_sockets', 'Sockets that no process holds any more, of the whole host.', orphans);
  add('tcp_memory_pages', 'Pages of TCP buffers of the whole host.', memoryPages);
}
