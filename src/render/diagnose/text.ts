import type { Diagnosis, DiagnosisFinding } from '../../model/diagnosis.js';
import { type TableStyle, wrapWords } from '../columns.js';
import { namespaceText } from '../labels.js';
import type { Names } from '../names.js';
import { becauseText, markOf, paint, roleOf } from '../style.js';
import { cleanText, formatCount, formatDuration } from '../text.js';
import { learnNames } from './json.js';

const INDENT = '     ';

const SURE = {
  certain: 'certain: counted',
  likely: 'likely: inferred from what was counted',
  suspected: 'suspected: other causes look the same',
} as const;

/** The findings for people: what, evidence, why it matters, what to do, how sure; then how much was looked at. */
export function* diagnosisText(diagnosis: Diagnosis, names: Names, style: TableStyle): Generator<string> {
  learnNames(diagnosis, names);
  for (const finding of diagnosis.findings) {
    for (const line of findingLines(finding, diagnosis, names, style)) yield `${line}\n`;
    yield '\n';
  }
  for (const line of closingLines(diagnosis, names, style)) yield `${line}\n`;
}

function* findingLines(
  finding: DiagnosisFinding,
  { settings }: Diagnosis,
  names: Names,
  style: TableStyle,
): Generator<string> {
  const say = (text: string, label = '') => labelled(label, cleanText(names.sentence(text)), style);
  const mark = markOf(finding.severity).padEnd(INDENT.length);
  const { namespace } = finding;
  const place = namespace === undefined ? '' : `netns ${namespaceText(namespace, names)}: `;
  const message = cleanText(names.sentence(finding.message));
  const [first = '', ...rest] = labelled('', `${place}${message} [${finding.rule}]`, style);
  yield paint(roleOf(finding.severity), mark + first.slice(INDENT.length), style.color);
  yield* rest;
  if (finding.causedBy !== undefined) {
    // What mends it, and why it matters, stands at its cause.
    yield* say(becauseText(finding.causedBy));
    return;
  }
  for (const { text } of finding.evidence) yield* say(text, '- ');
  const inForce = finding.values ?? settings;
  const values = finding.settings.flatMap((name) =>
    inForce[name] === undefined ? [] : [`${name} = ${inForce[name]}`],
  );
  if (values.length > 0) yield* say(values.join(', '), 'in force: ');
  if (finding.why !== '') yield* say(finding.why, 'why it matters: ');
  if (finding.advice !== '') yield* say(finding.advice, '-> ');
  yield* labelled('', SURE[finding.sure], style).map((line) => paint('dim', line, style.color));
}

/** Lines behind a label, the next ones below the first word. */
function labelled(label: string, text: string, style: TableStyle): string[] {
  return wrapWords(label + text, INDENT, style.width);
}

function* closingLines(diagnosis: Diagnosis, names: Names, style: TableStyle): Generator<string> {
  const { findings, lookedAt, watchedMs, apartMs, gaps } = diagnosis;
  const apart = apartMs === undefined ? '' : `, up to ${formatDuration(apartMs)} apart`;
  if (findings.length === 0) yield* nothingLines(diagnosis, names, style);
  const seen = [
    counted(lookedAt.listeners, 'listener'),
    counted(lookedAt.connections, 'connection'),
    ...(lookedAt.udp > 0 ? [counted(lookedAt.udp, 'UDP socket')] : []),
    ...(lookedAt.unix > 0 ? [counted(lookedAt.unix, 'Unix socket')] : []),
    counted(lookedAt.processes, 'process', 'processes'),
    counted(lookedAt.counters, 'counter'),
    counted(lookedAt.settings, 'setting'),
  ];
  const place =
    diagnosis.namespaces === undefined ? '' : `, in ${counted(diagnosis.namespaces, 'network namespace')},`;
  const note = `Looked at ${seen.slice(0, -1).join(', ')} and ${seen.at(-1)}, ${counted(lookedAt.looks, 'time')}${place} in ${formatDuration(watchedMs)}${apart}. What comes and goes between two looks is counted where the kernel tells of its end, and else not seen.`;
  yield* wrapWords(note, '', style.width).map((line) => paint('dim', line, style.color));
  for (const { what, why } of gaps)
    yield* wrapWords(cleanText(names.sentence(`${what}: ${why}`)), '', style.width).map((line) =>
      paint('dim', line, style.color),
    );
}

/** That nothing was found means as much as could be judged. */
function nothingLines({ unmatched, isPartial }: Diagnosis, names: Names, style: TableStyle): string[] {
  if (unmatched === undefined)
    return [`Nothing wrong was found${isPartial ? ' among what could be judged' : ''}.`];
  const text = cleanText(names.sentence(`${unmatched.what}: ${unmatched.why}.`));
  return wrapWords(text.charAt(0).toUpperCase() + text.slice(1), '', style.width);
}

const counted = (value: number, one: string, many = `${one}s`) =>
  `${formatCount(value)} ${value === 1 ? one : many}`;
