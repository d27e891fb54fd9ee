import type { Endpoint } from '../../model/endpoint.js';
import type { ListenerReport } from '../../model/listener.js';
import type { Rect } from '../layout.js';
import type { Line, Role, Span } from '../spans.js';
import { span } from '../spans.js';
import type { UiState } from '../state.js';
import { formatRate, shortenMiddle } from './format.js';
import { HISTORY_MS, resample, type Sample } from './series.js';

export interface Series {
  readonly label: string;
  readonly role: Role;
  readonly samples: readonly Sample[];
}

/** What a chart shows of the last minute, whoever draws it. */
export interface ChartData {
  readonly panel: 'fill' | 'rate';
  readonly title: Line;
  readonly series: readonly Series[];
  /** Highest value of the axis. */
  readonly most: number;
  /** A line across, as the threshold of a warning. */
  readonly threshold?: number;
  /** What the values of the axis are divided by where it has little room: 1, 1000 (k) or a million (M). */
  readonly scale: number;
  formatValue(value: number): string;
}

const SERIES_ROLES: readonly Role[] = ['alarm', 'warning', 'fill'];
const MOST_SERIES = 3;
const PERCENT = 100;
const SCALES: Readonly<Record<number, string>> = { 1000: 'thousands', 1e6: 'millions' };

/** Fill of the fullest queues of the last minute. */
export function fillChart(state: UiState, rect: Rect): ChartData {
  const shown = [...state.listeners.items]
    .filter(({ listener }) => listener.acceptQueue.capacity !== undefined)
    .sort((a, b) => highestFill(b) - highestFill(a))
    .slice(0, MOST_SERIES);
  const room = Math.max(6, Math.floor((rect.width - 24) / Math.max(1, shown.length)) - 3);
  const series = shown.map((report, index) => fillSeries(state, report, SERIES_ROLES[index] ?? 'text', room));
  const highest = Math.max(
    PERCENT,
    ...series.flatMap(({ samples }) => samples.map(([, value]) => value ?? 0)),
  );
  return {
    panel: 'fill',
    title: [title(state, 2, 'Queue fill %'), ...legend(state, series)],
    series,
    most: highest,
    threshold: 70,
    scale: 1,
    formatValue: (value) => `${Math.round(value)}%`,
  };
}

function fillSeries(state: UiState, { listener, window }: ListenerReport, role: Role, room: number): Series {
  const capacity = listener.acceptQueue.capacity ?? 1;
  return {
    label: shortenMiddle(shortName(listener.local), room, state.glyphs),
    role,
    samples: (window?.history ?? []).map(([msBefore, length]) => [msBefore, (length / capacity) * PERCENT]),
  };
}

/** `:443`, or the last part of a path: the whole address stands in the list of listeners. */
const shortName = (local: Endpoint): string =>
  local.kind === 'ip' ? `:${local.port ?? local.portName ?? '*'}` : (local.path.split('/').at(-1) ?? '');

function highestFill({ listener, window }: ListenerReport): number {
  const capacity = listener.acceptQueue.capacity ?? 1;
  const recent = (window?.history ?? []).reduce((most, [, length]) => Math.max(most, length), 0);
  return Math.max(listener.acceptQueue.length, recent) / capacity;
}

/** Connections that reached an accept queue, and connects that were begun, per second. */
export function rateChart(state: UiState): ChartData {
  const newest = state.report?.origin.time ?? state.now;
  const recent = state.rates.filter(({ time }) => newest - time <= HISTORY_MS);
  const rates = state.report?.rates;
  const series = [
    rateSeries(
      'in',
      'fill',
      recent.map(({ time, incoming }): Sample => [newest - time, incoming]),
    ),
    rateSeries(
      'out',
      'dim',
      recent.map(({ time, outgoing }): Sample => [newest - time, outgoing]),
    ),
  ];
  const nows = [rates?.newPerSecond, rates?.openedPerSecond];
  const values = series.flatMap(({ samples }) => samples.flatMap(([, value]) => value ?? []));
  const highest = Math.max(0, ...values);
  const scale = roundUp(highest) >= 1e7 ? 1e6 : roundUp(highest) >= 1e4 ? 1000 : 1;
  const figures = series.flatMap((one, index): Span[] => {
    const now = nows[index];
    return [...legend(state, [one], index), span(` ${now === undefined ? '?' : formatRate(now)}`)];
  });
  return {
    panel: 'rate',
    title: [
      title(state, 3, scale === 1 ? 'New connections/s' : `New/s, ${SCALES[scale]}`),
      ...figures,
      span('  max ', 'dim'),
      span(values.length === 0 ? '?' : formatRate(highest)),
    ],
    series,
    most: roundUp(highest),
    scale,
    formatValue: formatShort,
  };
}

const rateSeries = (label: string, role: Role, samples: readonly Sample[]): Series => ({
  label,
  role,
  samples,
});

const title = (state: UiState, number: number, name: string): Span =>
  span(`${number} ${name}`, state.focus === (number === 2 ? 'fill' : 'rate') ? 'focus' : 'title');

/** A mark before each name, the same as in the chart where there are no colours. */
const legend = (state: UiState, series: readonly Series[], first = 0): Span[] =>
  series.flatMap(({ label, role }, index) => [
    span('  '),
    span(seriesMark(state, first + index), role),
    span(` ${label}`, 'dim'),
  ]);

export const seriesMark = ({ braille, glyphs }: UiState, index: number): string =>
  braille && glyphs.unicode ? '━' : (['#', '*', '+'][index] ?? '.');

/** The next round number, so that the axis does not move at each refresh: 1, 2, 5, 10, 20, 50, ... */
export function roundUp(value: number): number {
  if (!(value > 0)) return 10;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10;
  return Math.max(5, step * power);
}

/** `450`, `1.2k`, `3.5M`: labels of the axis have little room. */
export function formatShort(value: number): string {
  if (value >= 1e6) return `${trim(value / 1e6)}M`;
  if (value >= 1000) return `${trim(value / 1000)}k`;
  return trim(value);
}

const trim = (value: number) => String(Math.round(value * 10) / 10);

export const chartValues = (series: Series, cells: number): (number | undefined)[] =>
  resample(series.samples, cells);
