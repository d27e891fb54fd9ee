import type { CaptureFile, CaptureInfo } from '../../model/packets.js';
import { OUTCOMES } from '../../model/trace.js';
import {
  type Percentiles,
  PHASE_NAMES,
  type RuleTotal,
  type TraceSummary,
  type WirePool,
  type WireRetries,
} from '../../model/trace-summary.js';
import { type Column, headLine, layOut, rowLine, type TableStyle, wrapWords } from '../columns.js';
import type { Names } from '../names.js';
import { markOf, paint, roleOf } from '../style.js';
import { cleanText, formatBytes, formatCount } from '../text.js';
import { OUTCOME_LABELS, PHASE_LABELS } from './labels.js';
import { durationOf } from './numbers.js';

const INDENT = '   ';
const MOST_POOLS = 5;
export const MERGED_FRAMES =
  'frame numbers count the packets of all files in the order of time: those of one file that mergecap makes';

/** Packets, outcomes, phases, findings, pools, retries and what the capture cannot tell: lines without their ends. */
export function* summaryLines(
  summary: TraceSummary,
  info: CaptureInfo,
  names: Names,
  style: TableStyle,
): Generator<string> {
  yield paint('title', headline(summary, info), style.color);
  for (const file of info.files) yield* fileLines(file, info.files.length > 1, style);
  if (info.files.length > 1) yield `${INDENT}${MERGED_FRAMES}`;
  yield outcomeLine(summary);
  yield trafficLine(summary);
  yield* phaseLines(summary, style);
  yield* ruleLines(summary.rules, names, style);
  yield* poolLines(summary.pools, names, style);
  yield* retryLines(summary.retries, names);
  for (const note of summary.trust) {
    yield* wrapWords(cleanText(names.sentence(`? ${note.message}; ${note.limits}`)), '', style.width);
  }
}

function headline({ packets, connections, start, end }: TraceSummary, { files, bytes }: CaptureInfo): string {
  const name = files.length === 1 ? cleanText(files[0]?.name ?? '') : `${files.length} files`;
  const span = start && end ? ` over ${durationOf(end.time - start.time)}` : '';
  return `${name}: ${formatCount(packets)} packets${span}, ${formatBytes(bytes)}, ${formatCount(connections)} connections`;
}

function* fileLines(
  { name, format, packets, dropped, fault }: CaptureFile,
  named: boolean,
  style: TableStyle,
): Generator<string> {
  const who = named ? `${cleanText(name)}: ` : '';
  if (fault && format === 'unknown')
    return yield `${paint('warning', '!', style.color)}  ${who}${cleanText(fault.message)}: not read`;
  if (named) yield `${INDENT}${who}${formatCount(packets)} packets`;
  if (dropped)
    yield `${paint('warning', '!', style.color)}  ${who}${formatCount(dropped)} packets dropped while capturing`;
  if (fault) {
    const where = `byte ${formatCount(fault.offset)}, after frame ${formatCount(fault.frame)}`;
    yield `${paint('warning', '!', style.color)}  ${who}${cleanText(fault.message)} (${where}): what comes after was not read`;
  }
}

function outcomeLine({ outcomes }: TraceSummary): string {
  const parts = OUTCOMES.filter((outcome) => outcomes[outcome] > 0).map(
    (outcome) => `${OUTCOME_LABELS[outcome]} ${formatCount(outcomes[outcome])}`,
  );
  return parts.length === 0 ? 'no connections' : parts.join(', ');
}

function trafficLine({ bytes, retransmissions, dataSegments, http }: TraceSummary): string {
  const resent = retransmissions.client + retransmissions.server;
  const share = dataSegments > 0 ? ` (${((resent / dataSegments) * 100).toFixed(2)}% of data segments)` : '';
  const requests =
    http.requests + http.responses > 0
      ? `, HTTP ${formatCount(http.requests)} requests, ${formatCount(http.responses)} responses`
      : '';
  return `clients sent ${formatBytes(bytes.client)}, servers ${formatBytes(bytes.server)}, retransmissions ${formatCount(resent)}${share}${requests}`;
}

type PhaseRow = Percentiles & { readonly label: string };

function* phaseLines({ phases }: TraceSummary, style: TableStyle): Generator<string> {
  const rows = PHASE_NAMES.flatMap((name): PhaseRow[] => {
    const shares = phases[name];
    return shares === undefined ? [] : [{ ...shares, label: PHASE_LABELS[name] }];
  });
  if (rows.length === 0) return;
  const share = (title: string, of: (row: PhaseRow) => number): Column<PhaseRow> => ({
    title,
    align: 'right',
    text: (row) => durationOf(of(row)),
  });
  const columns: readonly Column<PhaseRow>[] = [
    { title: 'PHASE', text: ({ label }) => label },
    { title: 'COUNT', align: 'right', text: ({ count }) => formatCount(count) },
    share('P50', ({ p50 }) => p50),
    share('P90', ({ p90 }) => p90),
    share('P99', ({ p99 }) => p99),
    share('MAX', ({ max }) => max),
  ];
  const layout = layOut(columns, rows, style);
  yield '';
  yield headLine(layout);
  for (const row of rows) yield rowLine(layout, row);
}

function* ruleLines(rules: readonly RuleTotal[], names: Names, style: TableStyle): Generator<string> {
  if (rules.length > 0) yield '';
  for (const { rule, severity, sure, connections, examples } of rules) {
    const mark = markOf(severity);
    const doubt = sure === 'certain' ? '' : `${sure} `;
    const what = `${doubt}${rule.replaceAll('_', ' ')}: ${formatCount(connections)} ${connections === 1 ? 'connection' : 'connections'}`;
    const [example] = examples;
    const such = example
      ? `; as #${example.id} (frames ${example.frames.slice(0, 6).join(', ')}): ${example.message}`
      : '';
    const [first = '', ...rest] = wrapWords(cleanText(names.sentence(what + such)), INDENT, style.width);
    yield paint(roleOf(severity), mark, style.color) + first.slice(mark.length);
    yield* rest;
  }
}

function* poolLines(pools: readonly WirePool[], names: Names, style: TableStyle): Generator<string> {
  const shown = pools.filter(({ connections }) => connections > 1).slice(0, MOST_POOLS);
  if (shown.length === 0) return;
  const columns: readonly Column<WirePool>[] = [
    { title: 'CLIENT', text: ({ client }) => names.sentence(client) },
    { title: 'SERVER', text: ({ server }) => names.sentence(server) },
    { title: 'CONNECTIONS', align: 'right', text: ({ connections }) => formatCount(connections) },
    { title: 'MOST AT ONCE', align: 'right', text: ({ highest }) => formatCount(highest) },
    { title: 'PER SECOND', align: 'right', text: ({ perSecond }) => perSecond.toFixed(1) },
    { title: 'REQUESTS', align: 'right', text: ({ requests }) => formatCount(requests), giveUp: 2 },
    {
      title: 'LIFETIME P50',
      align: 'right',
      text: ({ lifetime }) => (lifetime ? durationOf(lifetime.p50) : '-'),
      giveUp: 1,
    },
    {
      title: 'TIME-WAIT c/s',
      align: 'right',
      text: ({ timeWait }) => `${formatCount(timeWait.client)}/${formatCount(timeWait.server)}`,
      giveUp: 3,
    },
  ];
  const layout = layOut(columns, shown, style);
  yield '';
  yield headLine(layout);
  for (const pool of shown) yield rowLine(layout, pool);
}

function* retryLines(retries: readonly WireRetries[], names: Names): Generator<string> {
  if (retries.length > 0) yield '';
  for (const { client, server, attempts, failed, pattern, gapsMs } of retries.slice(0, MOST_POOLS)) {
    const longest =
      pattern === 'paused' ? ` (up to ${durationOf(Math.max(...gapsMs) * 1e6)} without an attempt)` : '';
    const pauses = gapsMs.length > 0 ? `, pauses ${pausesText(gapsMs)}` : '';
    yield names.sentence(
      `retries: ${client} -> ${server}: ${attempts} attempts, ${failed} failed, ${pattern.replaceAll('_', ' ')}${longest}${pauses}`,
    );
  }
}

const MOST_PAUSES = 8;

/** Pauses that look alike in a row are told once: `100 ms x9, 29 s, 100 ms x2`. */
function pausesText(gapsMs: readonly number[]): string {
  const runs: { readonly text: string; count: number }[] = [];
  for (const ms of gapsMs) {
    const text = durationOf(ms * 1e6);
    const last = runs.at(-1);
    if (last?.text === text) last.count++;
    else runs.push({ text, count: 1 });
  }
  const shown = runs.slice(0, MOST_PAUSES).map(({ text, count }) => (count > 1 ? `${text} x${count}` : text));
  return shown.join(', ') + (runs.length > MOST_PAUSES ? ', ...' : '');
}
