import type { Report } from '../model/report.js';
import { clamp } from './cursor.js';
import { editFilter, pasteFilter } from './filter-bar.js';
import type { InputEvent } from './input.js';
import { actionOf } from './keys.js';
import type { Size } from './layout.js';
import { pageOf, shownPanels } from './panels.js';
import { perform } from './perform.js';
import { reduceMouse } from './reduce-mouse.js';
import type { RateSample, UiState } from './state.js';

export type UiEvent =
  | { readonly type: 'report'; readonly report: Report }
  | { readonly type: 'input'; readonly input: InputEvent }
  | { readonly type: 'resize'; readonly size: Size }
  | { readonly type: 'tick'; readonly now: number };

/** The next state. Cheap for every event: lists are made anew by `settle`. */
export function reduce(state: UiState, event: UiEvent): UiState {
  switch (event.type) {
    case 'report':
      return receive(state, event.report);
    case 'input':
      return receiveInput(state, event.input);
    case 'resize':
      return resize(state, event.size);
    case 'tick':
      return { ...state, now: event.now };
  }
}

function receiveInput(state: UiState, input: InputEvent): UiState {
  if (input.kind === 'mouse') return reduceMouse(state, input);
  if (input.kind === 'paste') return pasteFilter(state, input.text);
  if (state.filter.draft !== undefined) return editFilter(state, input.name);
  const action = actionOf(input.name);
  return action === undefined ? state : perform(state, action);
}

const LOG_LENGTH = 200;
const HISTORY_MS = 60_000;

/** While paused a report waits: the screen stands still, and only what was raised meanwhile is counted. */
function receive(state: UiState, report: Report): UiState {
  const known = {
    ...state,
    now: Math.max(state.now, report.origin.time),
    log: [...[...report.events].reverse(), ...state.log].slice(0, LOG_LENGTH),
    rates: [...state.rates, rateSample(report)].filter(
      ({ time }) => report.origin.time - time <= HISTORY_MS + 5000,
    ),
  };
  if (state.pausedAt === undefined) return { ...known, report, acknowledged: stillRaised(state, report) };
  const raised = report.events.filter(({ phase }) => phase === 'raised').length;
  return { ...known, pending: report, pendingAlerts: state.pendingAlerts + raised };
}

const rateSample = ({ origin, rates }: Report): RateSample => ({
  time: origin.time,
  perSecond: rates.newPerSecond,
});

/** An alert that was cleared is forgotten, so that its return is news; one that got worse is news too. */
function stillRaised({ acknowledged }: UiState, report: Report): ReadonlySet<string> {
  if (acknowledged.size === 0) return acknowledged;
  const worse = new Set(
    report.events
      .filter(({ phase, alert }) => phase === 'changed' && alert.finding.severity === 'critical')
      .map(({ alert }) => alert.id),
  );
  return new Set(report.alerts.map(({ id }) => id).filter((id) => acknowledged.has(id) && !worse.has(id)));
}

function resize(state: UiState, size: Size): UiState {
  const resized = { ...state, size };
  const shown = shownPanels(resized);
  const focus = shown.includes(state.focus) ? state.focus : (shown[0] ?? state.focus);
  return scrollIntoView({ ...resized, focus });
}

/** After a change of places every cursor must still be seen. */
export function scrollIntoView(state: UiState): UiState {
  const keep = (cursor: UiState['alertCursor'], page: number) => ({
    ...cursor,
    top: clamp(cursor.top, cursor.index - Math.max(page, 1) + 1, cursor.index),
  });
  const { connections, listeners } = state;
  const page = pageOf(state, 'connections');
  return {
    ...state,
    listeners: { ...listeners, cursor: keep(listeners.cursor, pageOf(state, 'listeners')) },
    connections: {
      ...connections,
      cursor: keep(connections.cursor, page),
      poolCursor: keep(connections.poolCursor, page),
    },
    alertCursor: keep(state.alertCursor, pageOf(state, 'alerts')),
  };
}
