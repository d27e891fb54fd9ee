import { KEYS, type KeyBinding } from '../keys.js';
import { fit, type Line, onGround, type Span, span } from '../spans.js';
import { isReplay, type UiState } from '../state.js';
import { section } from './format.js';

const GROUPS = [
  ['look', 'Look'],
  ['move', 'Move'],
  ['program', 'Program'],
  ['replay', 'While a recording is shown (+ and - change its speed)'],
] as const;

const KEY_WIDTH = 12;

const keyLine = ({ shown, text }: KeyBinding): Line => [
  span(`  ${shown.padEnd(KEY_WIDTH)}`, 'key'),
  span(text),
];

const LEGEND: readonly Line[] = [
  section('What is shown'),
  [
    span('  ACCEPT QUEUE', 'key'),
    span('  connections that wait for accept(), of what the queue can hold (backlog + 1)'),
  ],
  [span('  QUEUE       ', 'key'), span('  Recv-Q/Send-Q of the listener: connections waiting / backlog')],
  [span('  OLDEST      ', 'key'), span('  how long the longest waiting connection has waited')],
  [span('  DROP/s      ', 'key'), span('  segments (not connections) that this listener has dropped')],
  [span('  ok ! !!     ', 'key'), span('  nothing found, warning, critical;  ? unknown')],
];

/** Every key with its meaning, from the key table. */
export const helpLines = (): Line[] => [
  ...GROUPS.flatMap(([group, title]) => [
    section(title),
    ...KEYS.filter((binding) => binding.group === group).map(keyLine),
    [],
  ]),
  ...LEGEND,
];

/** The last line: as many keys as fit, those of most use first, in the order of the table. */
export function keyBar(state: UiState): Line {
  const { columns } = state.size;
  const isOffered = ({ group }: KeyBinding) => group !== 'replay' || isReplay(state);
  const bar = KEYS.filter(isOffered).flatMap(({ bar: entry }) => (entry === undefined ? [] : [entry]));
  const kept = new Set<number>();
  let left = columns - 1;
  for (const { rank, key, word } of [...bar].sort((a, b) => a.rank - b.rank)) {
    const width = key.length + word.length + 3;
    if (width > left) break;
    left -= width;
    kept.add(rank);
  }
  const spans = bar
    .filter(({ rank }) => kept.has(rank))
    .flatMap(({ key, word }): Span[] => [span(` ${key}`, 'key'), span(` ${word} `, 'dim')]);
  return onGround(fit(spans, columns, state.glyphs.ellipsis), 'bar');
}
