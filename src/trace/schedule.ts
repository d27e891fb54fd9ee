import type { SynSchedule } from '../model/trace.js';
import type { Moment } from '../model/trace-moment.js';

type Shape = SynSchedule['shape'];

const FITS: Readonly<Record<Shape, readonly string[]>> = {
  exponential_1s: ['Linux before 6.5', 'FreeBSD', 'Windows 10 and later'],
  linear5_exponential: ['Linux 6.5 and later', 'macOS'],
  exponential_3s: ['Linux before 3.1', 'Windows before 8', 'older BSDs'],
  fixed: [],
  custom: [],
};

/** How a client sends its SYN again: the shape of its pauses, and the systems known for it (PCAP.md section 4). Absent for a single SYN. */
export function readSynSchedule(syns: readonly Moment[]): SynSchedule | undefined {
  // As nearly every connection has it.
  if (syns.length < 2) return undefined;
  const stepsMs = syns.slice(1).map(({ time }, index) => (time - (syns[index]?.time ?? time)) / 1e6);
  const shape = shapeOf(stepsMs);
  return {
    shape,
    stepsMs,
    fits: stepsMs.length === 1 && shape === 'exponential_1s' ? UNDECIDED : FITS[shape],
  };
}

/** After one step of 1 s both of Linux's schedules are possible. */
const UNDECIDED = ['Linux', 'macOS', 'FreeBSD', 'Windows'];

function shapeOf(steps: readonly number[]): Shape {
  if (follows(steps, (index) => 1000 * 2 ** index)) return 'exponential_1s';
  if (follows(steps, (index) => (index < LINEAR_STEPS ? 1000 : 1000 * 2 ** (index - LINEAR_STEPS + 1))))
    return 'linear5_exponential';
  if (follows(steps, (index) => 3000 * 2 ** index)) return 'exponential_3s';
  const [first = 0] = steps;
  return steps.length > 1 && follows(steps, () => first) ? 'fixed' : 'custom';
}

/** tcp_syn_linear_timeouts=4: the first pause and four more are alike. */
const LINEAR_STEPS = 5;

const follows = (steps: readonly number[], expected: (index: number) => number): boolean =>
  steps.every((step, index) => Math.abs(step - expected(index)) <= expected(index) * 0.1 + 50);
