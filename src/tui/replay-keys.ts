import type { ReplayControl, ReplayJump } from '../model/replay.js';
import type { Action } from './keys.js';
import type { UiState } from './state.js';

const NEAR_MS = 10_000;
const FAR_MS = 60_000;
const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16, 64, 256];

const offset = (ms: number): ReplayJump => ({ to: 'offset', ms });

/** What a key does to a replay; `undefined`: nothing, it means what it means elsewhere. */
export function replayEffect(
  control: ReplayControl,
  action: Action,
  { report }: UiState,
): (() => void) | undefined {
  if (action === 'faster' || action === 'slower') return () => changeSpeed(control, action === 'faster');
  const replay = report?.pace.replay;
  if (replay === undefined) return undefined;
  const jumps: Partial<Record<Action, ReplayJump>> = {
    'seek-back': offset(-NEAR_MS),
    'seek-on': offset(NEAR_MS),
    'seek-far-back': offset(-FAR_MS),
    'seek-far-on': offset(FAR_MS),
    'seek-start': { to: 'time', time: replay.start },
    'seek-end': { to: 'time', time: replay.end },
    'next-alert': { to: 'next-alert' },
    'previous-alert': { to: 'previous-alert' },
  };
  const jump = jumps[action];
  if (jump === undefined) return undefined;
  return () => {
    control.jump = jump;
  };
}

function changeSpeed(control: ReplayControl, faster: boolean): void {
  const next = faster
    ? SPEEDS.find((speed) => speed > control.speed)
    : SPEEDS.findLast((speed) => speed < control.speed);
  control.speed = next ?? control.speed;
}
