import type { Measure, Metric } from '../../model/check.js';
import type { CheckLook, Since } from '../../model/check-look.js';
import { formatEndpoint } from '../../model/endpoint.js';
import { ownAdvice } from '../../model/findings.js';
import type { ListenerReport } from '../../model/listener.js';
import { waitingOf } from '../facts.js';
import { fullText, samplingText } from '../rules-samples.js';
import { count, counted, duration, percent } from '../words.js';
import { isAt, isHeldBy, isSelected, type Place, type Selection } from './selection.js';

const subjectOf = ({ listener }: ListenerReport) => formatEndpoint(listener.local);

/** One measure per address, the worst member of a SO_REUSEPORT group for all: names must not repeat (OPS.md 3). */
function perListener(
  metric: Metric,
  { report }: CheckLook,
  selection: Selection,
  measure: (report: ListenerReport) => Omit<Measure, 'metric' | 'subject'> | undefined,
): Measure[] {
  const found = new Map<string, Measure>();
  let selected = 0;
  for (const one of report.listeners) {
    if (!isSelected(selection, one)) continue;
    selected++;
    const measured = measure(one);
    if (measured === undefined) continue;
    const subject = subjectOf(one);
    const next = { metric, subject, row: one.listener.row, ...measured };
    const known = found.get(subject);
    if (known === undefined || shareOf(next) > shareOf(known)) found.set(subject, next);
  }
  const missing = selected === 0 ? nothingSelected(metric, selection) : [];
  return [...found.values(), ...missing];
}

const shareOf = ({ value = 0, capacity = 1 }: Measure) => value / capacity;

export const NO_LISTENER = 'no such listener';

/** A queue that was named and is not there cannot be measured: that is no OK. */
const nothingSelected = (metric: Metric, { places, filter }: Selection): Measure[] =>
  places.length === 0 && filter !== undefined
    ? [{ metric, subject: 'filter', unknown: NO_LISTENER, text: 'no listener matches the filter' }]
    : places.map(({ text }) => ({
        metric,
        subject: text,
        unknown: NO_LISTENER,
        text: `no listener at ${text} (--expect makes that critical)`,
      }));

export const acceptQueue = (look: CheckLook, selection: Selection): Measure[] =>
  perListener('accept-queue', look, selection, ({ listener, findings, window }) => {
    const { length, capacity, fill } = listener.acceptQueue;
    const samples = window?.samples;
    const advice = adviceOf(findings);
    if (capacity === undefined || fill === undefined) {
      if (selection.places.length === 0 && length === 0) return undefined;
      return { unknown: 'its limit is unknown', text: `accept queue ${count(length)}, limit unknown` };
    }
    if (samples !== undefined && samples.peak > length) {
      const peak = `accept queue at ${count(samples.peak)}/${count(capacity)} (${percent(samples.peak / capacity)})`;
      const seen = samples.fullShare === 0 ? `in ${samplingText(samples)}` : fullText(samples);
      const text = `${peak} for a moment, ${seen}`;
      return {
        value: samples.peak,
        capacity,
        text,
        isMomentary: true,
        ...(advice !== undefined && { advice }),
      };
    }
    const text = `accept queue ${count(length)}/${count(capacity)} (${percent(fill)})`;
    return { value: length, capacity, text, ...(advice !== undefined && { advice }) };
  });

/** Of the worst that no other finding explains. */
const adviceOf = (findings: ListenerReport['findings']): string | undefined =>
  findings
    .filter(({ severity }) => severity !== 'info')
    .map(ownAdvice)
    .find((text) => text !== undefined);

export const oldestWait = (look: CheckLook, selection: Selection): Measure[] =>
  perListener('oldest-wait', look, selection, ({ listener, findings }) => {
    const waiting = waitingOf(listener);
    if (waiting === undefined) {
      const { length } = listener.acceptQueue;
      if (length === 0 || listener.protocol === 'unix') return undefined;
      return { unknown: 'waiting times are unknown', text: 'waiting times unknown' };
    }
    if (waiting.oldestMs === undefined)
      return listener.acceptQueue.length > 0 ? undefined : { value: 0, text: 'nothing waits' };
    const advice = adviceOf(findings);
    return {
      value: waiting.oldestMs / 1000,
      text: `oldest connection has waited ${duration(waiting.oldestMs)} for accept()`,
      ...(advice !== undefined && { advice }),
    };
  });

export const synQueue = (look: CheckLook, selection: Selection): Measure[] =>
  perListener('syn-queue', look, selection, ({ listener }) => {
    const queue = listener.synQueue ?? listener.group?.synQueue;
    if (queue === undefined) return undefined;
    const limit = queue.limit ?? listener.acceptQueue.backlog;
    if (limit === undefined || limit === 0) return undefined;
    return {
      value: queue.length,
      capacity: limit,
      text: `SYN queue ${count(queue.length)}/${count(limit)} (${percent(queue.length / limit)})`,
    };
  });

export function droppedSegments(look: CheckLook, selection: Selection): Measure[] {
  const { since } = look;
  if (since === undefined) return [baseline('dropped-segments')];
  const sums = new Map<string, { value: number; row: number }>();
  for (const one of look.report.listeners) {
    const dropped = since.drops.get(one.listener.key);
    if (dropped === undefined || !isSelected(selection, one)) continue;
    const subject = subjectOf(one);
    sums.set(subject, { value: (sums.get(subject)?.value ?? 0) + dropped, row: one.listener.row });
  }
  return [...sums].map(([subject, { value, row }]) => ({
    metric: 'dropped-segments' as const,
    subject,
    row,
    value,
    text: `${counted(value, 'segment')} dropped ${spanText(since)}`,
  }));
}

/** Of the namespace: the kernel has no such counter per listener (KERNEL.md 4). */
export function overflows(look: CheckLook): Measure[] {
  const { since } = look;
  const value = since?.counters.ListenOverflows;
  if (since === undefined) return [baseline('overflows')];
  if (value === undefined)
    return [
      { metric: 'overflows', subject: '', unknown: 'no counter', text: 'ListenOverflows could not be read' },
    ];
  const text = `${counted(value, 'accept-queue overflow')} ${spanText(since)}`;
  const whose = value === 0 ? '' : whoDropped(look, since, value);
  return [{ metric: 'overflows', subject: '', value, text: text + whose }];
}

/** One listener whose drops fit (KERNEL.md 4: between once and twice the overflows) is named; else all that dropped. */
function whoDropped({ report }: CheckLook, { drops, whileLooking }: Since, overflows: number): string {
  const dropped = report.listeners.filter(({ listener }) => (drops.get(listener.key) ?? 0) > 0);
  const names = [...new Set(dropped.map(subjectOf))];
  const [only] = names;
  if (only === undefined) return '';
  const sum = dropped.reduce((total, { listener }) => total + (drops.get(listener.key) ?? 0), 0);
  if (names.length === 1 && sum >= overflows) return `${whileLooking ? ',' : ''} at ${only}`;
  return `; segments were dropped by ${names.slice(0, 3).join(', ')}${names.length > 3 ? ' and others' : ''}`;
}

const spanText = ({ windowMs, whileLooking, isNew }: Since): string => {
  const from = whileLooking ? ', while it looked' : '';
  const age = isNew ? ` (its namespace is new since the ${whileLooking ? 'first look' : 'last run'})` : '';
  return `in ${duration(windowMs)}${from}${age}`;
};

const NO_RUN = 'no run to compare with';

const baseline = (metric: Metric): Measure => ({ metric, subject: '', text: NO_RUN });

export const isBaseline = ({ text }: Measure): boolean => text === NO_RUN;

/** `--expect`: how many listeners are there that must be. */
export const expected = ({ report }: CheckLook, places: readonly Place[]): Measure[] =>
  places.map((place) => {
    const there = report.listeners.filter(({ listener }) => isAt(place, listener.local));
    const held = there.map(({ listener }) => isHeldBy(listener, place.process));
    const value = held.filter((isHeld) => isHeld === true).length;
    const base = { metric: 'listener' as const, subject: place.text };
    if (value === 0 && held.includes(undefined))
      return {
        ...base,
        unknown: 'owners are hidden',
        text: `${place.text} listens, but its process is hidden`,
      };
    if (value > 0) return { ...base, value, text: `${place.text} listens` };
    const others = there.flatMap(({ listener }) => listener.owners ?? []).map(({ name }) => name);
    const instead = there.length > 0 ? `, but ${[...new Set(others)].join(', ') || 'nobody'} holds it` : '';
    return {
      ...base,
      value,
      text: there.length === 0 ? `nothing listens at ${place.text}` : `${place.text} listens${instead}`,
    };
  });
