import type { Evidence } from '../model/findings.js';
import type { Listener, ListenerWindow } from '../model/listener.js';
import { type Facts, waitingOf } from './facts.js';
import { count, counted, duration, percent } from './words.js';

export const evidence = (metric: string, value: number, unit: string, text: string): Evidence => ({
  metric,
  value,
  unit,
  text,
});

/** Length and limit of the accept queue. */
export function queueEvidence({ acceptQueue: { length, backlog, capacity, fill } }: Listener): Evidence[] {
  const waits = `${counted(length, 'connection')} in the accept queue`;
  if (backlog === undefined || capacity === undefined || fill === undefined) {
    return [evidence('accept_queue.length', length, 'connections', `${waits}, limit unknown`)];
  }
  const limit = `backlog ${count(backlog)}, so it holds ${count(capacity)} (${percent(fill)})`;
  return [evidence('accept_queue.length', length, 'connections', `${waits}: ${limit}`)];
}

/** The oldest wait, and who closed while waiting. Who reset is only a difference of two readings: no evidence. */
export function waitEvidence(listener: Listener): Evidence[] {
  const waiting = waitingOf(listener);
  if (waiting === undefined) return [];
  const { oldestMs, abandoned } = waiting;
  const of = listener.group === undefined ? '' : ` (of all ${listener.group.members} members of the port)`;
  return [
    ...(oldestMs === undefined
      ? []
      : [evidence('waiting.oldest_ms', oldestMs, 'ms', `the oldest has waited ${duration(oldestMs)}${of}`)]),
    ...(abandoned === 0
      ? []
      : [
          evidence(
            'waiting.abandoned',
            abandoned,
            'connections',
            `${counted(abandoned, 'client')} closed and still ${abandoned === 1 ? 'holds a place' : 'hold places'}${of}`,
          ),
        ]),
  ];
}

export function dropEvidence(window: ListenerWindow | undefined): Evidence[] {
  const dropped = window?.droppedDelta ?? 0;
  if (window === undefined || dropped === 0) return [];
  const text = `this listener dropped ${counted(dropped, 'segment')} in the last ${duration(window.windowMs)}`;
  return [evidence('dropped_segments_delta', dropped, 'segments', text)];
}

/** How long it has been so full. */
export function lastingEvidence({ window }: Facts): Evidence[] {
  const fullMs = window?.fullMs ?? 0;
  return fullMs === 0
    ? []
    : [evidence('window.full_ms', fullMs, 'ms', `full at every look for ${duration(fullMs)}`)];
}
