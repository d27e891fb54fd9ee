import type { Report } from '../model/report.js';
import { clamp } from './cursor.js';
import { editFilter, pasteFilter } from './filter-bar.js';
import type { InputEvent } from './input.js';
import { actionOf } from './keys.js';
import type { Size } from './layout.js';
import { pageOf, shownPanels } from './panels.js';
import { perform } from './perform.js';
import { reduceMouse } from './reduce-mouse.js';
import { isReplay, type RateSample, type UiState } from './state.js';

export type UiEvent =
  | { readonly type: 'report'; readonly report: Report }
  | { readonly type: 'input'; readonly input: InputEvent }
  | { readonly type: 'resize'; readonly size: Size }
  | { readonly type: 'tick'; readonly now: number }
  | { readonly type: 'speed'; readonly speed: number };

/** The next state. Cheap for every event: lists are made anew by `settle`. */
export function reduce(state: UiState, event: UiEvent): UiState {
  switch (event.type) {
    case 'report':
      return receive(state, event.report);
    case 'input':
      return receiveInput(state, event.input);
    case 'resize':
      return resize(state, event.size);
    case 'speed':
      return withSpeed(state, event.speed);
    case 'tick':
      // A recording has a clock of its own.
      return isReplay(state) ? state : { ...state, now: event.now };
  }
}

/** The title tells a new speed at once, not with the next report. */
function withSpeed(state: UiState, speed: number): UiState {
  const { report } = state;
  if (report?.pace.replay === undefined) return state;
  const replay = { ...report.pace.replay, speed };
  return { ...state, report: { ...report, pace: { ...report.pace, replay } } };
}

function receiveInput(state: UiState, input: InputEvent): UiState {
  if (input.kind === 'mouse') return reduceMouse(state, input);
  if (input.kind === 'paste') return pasteFilter(state, input.text);
  if (state.filter.draft !== undefined) return editFilter(state, input.name);
  const action = actionOf(input.name, isReplay(state));
  return action === undefined ? state : perform(state, action);
}

const LOG_LENGTH = 200;
const HISTORY_MS = 60_000;

/** While paused a report waits: the screen stands still, and only what was raised meanwhile is counted. */
function receive(seen: UiState, report: Report): UiState {
  const { replay } = report.pace;
  const state = replay?.sought === true ? startAnew(seen) : seen;
  const known = {
    ...state,
    now: replay === undefined ? Math.max(state.now, report.origin.time) : report.origin.time,
    log: [...[...report.events].reverse(), ...state.log].slice(0, LOG_LENGTH),
    changes: [...[...(report.changes ?? [])].reverse(), ...state.changes].slice(0, LOG_LENGTH),
    rates: [...state.rates, rateSample(report)].filter(
      ({ time }) => report.origin.time - time <= HISTORY_MS + 5000,
    ),
  };
  // What was sought is shown, though time stands still.
  if (state.pausedAt === undefined || replay?.sought === true)
    return { ...known, report, acknowledged: stillRaised(state, report) };
  const raised = report.events.filter(({ phase }) => phase === 'raised').length;
  return { ...known, pending: report, pendingAlerts: state.pendingAlerts + raised };
}

/** After a jump nothing that was seen before belongs to what is shown. */
const startAnew = (state: UiState): UiState => ({
  ...state,
  log: [],
  changes: [],
  rates: [],
  pending: undefined,
  pendingAlerts: 0,
});

const rateSample = ({ origin, rates }: Report): RateSample => ({
  time: origin.time,
  incoming: rates.newPerSecond,
  outgoing: rates.openedPerSecond,
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
  const { connections, listeners, pools } = state;
  const page = pageOf(state, 'connections');
  return {
    ...state,
    listeners: { ...listeners, cursor: keep(listeners.cursor, pageOf(state, 'listeners')) },
    connections: { ...connections, cursor: keep(connections.cursor, page) },
    pools: { ...pools, cursor: keep(pools.cursor, page) },
    alertCursor: keep(state.alertCursor, pageOf(state, 'alerts')),
  };
}
