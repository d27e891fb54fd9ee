import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordingFile } from '../collect/recording-file.js';
import { ParseError } from '../model/errors.js';
import type { Gap, Observation } from '../model/observation.js';
import type { ReplayControl, ReplayJump } from '../model/replay.js';
import type { Report } from '../model/report.js';
import { RecordingDecoder } from '../parse/recording/decoder.js';
import { startWatch, step, type WatchConfig, type WatchState } from '../watch/step.js';

/** What happened before a place decides how it is judged: so much of it is looked at again after a jump. */
const WARM_UP_MS = 60_000;
/** How soon a key is answered. */
const NOTICE_MS = 50;
/** Nobody waits longer than this where the recording has a hole. */
const LONGEST_WAIT_MS = 5000;
/** An alert that is jumped to is seen from here on. */
const BEFORE_ALERT_MS = 1000;

interface Frame {
  readonly time: number;
  readonly monotonic: number;
  readonly observation: () => Observation;
}

/** Frames of a recording from one segment on. What is damaged or lost is left out, with a gap in `gaps`. */
export async function* framesOf(
  recording: RecordingFile,
  segment: number,
  gaps: Gap[],
): AsyncGenerator<Frame> {
  const tell = (line: number, why: string) =>
    gaps.push({ what: `${basename(recording.path)} line ${line}`, why, line });
  for (let index = segment; index < recording.segments.length; index++) {
    const decoder = new RecordingDecoder();
    let isLost = false;
    for await (const { text, number } of recording.lines(index)) {
      try {
        const decoded = decoder.decode(text, `line ${number}`);
        if (decoded.kind === 'observation') {
          for (const one of decoded.before()) yield { ...decoded, observation: () => one };
          yield decoded;
        }
        if (decoded.kind === 'lost' && !isLost) tell(number, LOST);
        isLost ||= decoded.kind === 'lost';
      } catch (error) {
        if (!(error instanceof ParseError)) throw error;
        tell(number, error.message);
      }
    }
  }
}

const LOST = 'a frame before it is missing: what follows is left out, up to the next full frame';

/** First and last frame of a recording, wall clock. */
export function spanOf({ places }: RecordingFile): { start: number; end: number } {
  const frames = places.filter(({ kind }) => kind !== 'event');
  return { start: frames[0]?.time ?? 0, end: frames.at(-1)?.time ?? 0 };
}

/** The last segment that starts at or before a time: from there on everything is known. */
export function segmentBefore({ places }: RecordingFile, time: number): number {
  let found = 0;
  for (const place of places)
    if (place.kind === 'key' && place.time <= time) found = Math.max(found, place.segment);
  return found;
}

/** Plays a recording: the reports that `live` would have given, at the speed that the control says. */
export class Replay {
  private state: WatchState;
  private time: number;
  private readonly span;
  private readonly damage: Gap[] = [];
  private told = 0;

  /** `staysOpen`: after the end it waits for a jump, as a screen does. */
  constructor(
    private readonly recording: RecordingFile,
    private readonly config: WatchConfig,
    private readonly control: ReplayControl,
    private readonly staysOpen: boolean,
  ) {
    this.state = startWatch(config);
    this.span = spanOf(recording);
    this.time = this.span.start;
  }

  async *reports(signal: AbortSignal): AsyncGenerator<Report> {
    let target: number | undefined;
    while (!signal.aborted) {
      const outcome = yield* this.play(target, signal);
      if (outcome === undefined) return;
      target = this.targetOf(outcome);
    }
  }

  /** What was found to be damaged after the last report. */
  untold(): readonly Gap[] {
    return this.damage.slice(this.told);
  }

  /** Plays from a time (or the beginning) to the end, or to a jump, which it returns. */
  private async *play(
    target: number | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<Report, ReplayJump | undefined> {
    const from = target ?? this.span.start;
    this.state = startWatch(this.config);
    let before: Frame | undefined;
    let shown: Report | undefined;
    for await (const frame of framesOf(
      this.recording,
      segmentBefore(this.recording, from - WARM_UP_MS),
      this.damage,
    )) {
      if (frame.time < from - WARM_UP_MS) continue;
      if (frame.time < from) {
        this.state = step(this.state, frame.observation()).state;
        continue;
      }
      const observation = frame.observation();
      // What belongs to the look that follows; a look at all namespaces is one too.
      if (observation.kind === 'samples' || observation.kind === 'closed') {
        this.state = step(this.state, observation).state;
        continue;
      }
      if (before !== undefined) {
        const jump = await this.waitFor(frame.monotonic - before.monotonic, signal);
        if (jump !== undefined || signal.aborted) return jump;
      }
      shown = this.show(frame.time, observation, target !== undefined && before === undefined, false);
      yield shown;
      before = frame;
    }
    if (shown === undefined && this.state.report !== undefined) {
      shown = this.place(this.state.report, true, true);
      yield shown;
    }
    if (!this.staysOpen || shown === undefined) return undefined;
    if (before !== undefined) yield this.place(shown, false, true);
    return this.waitForJump(signal);
  }

  private show(time: number, observation: Observation, sought: boolean, ended: boolean): Report {
    const { state, report } = step(this.state, observation);
    this.state = state;
    this.time = time;
    return this.place(report, sought, ended);
  }

  private place(report: Report, sought: boolean, ended: boolean): Report {
    const { recording, span, control, damage } = this;
    const replay = { name: basename(recording.path), ...span, speed: control.speed, sought, ended };
    this.told = damage.length;
    const gaps = [...recording.gaps, ...damage, ...report.gaps];
    return { ...report, gaps, pace: { ...report.pace, replay } };
  }

  /** Time of the recording passes, faster or slower, and not at all while it is paused. */
  private async waitFor(ms: number, signal: AbortSignal): Promise<ReplayJump | undefined> {
    let left = Math.min(Math.max(ms, 0), LONGEST_WAIT_MS * Math.max(1, this.control.speed));
    while (left > 0 && !signal.aborted) {
      const { jump, paused, speed } = this.control;
      if (jump !== undefined) return this.takeJump();
      if (speed === Number.POSITIVE_INFINITY && !paused) return undefined;
      const started = performance.now();
      await sleep(paused ? NOTICE_MS : Math.min(NOTICE_MS, left / speed), undefined, { signal }).catch(
        () => {},
      );
      if (!paused) left -= (performance.now() - started) * speed;
    }
    return this.control.jump === undefined ? undefined : this.takeJump();
  }

  private async waitForJump(signal: AbortSignal): Promise<ReplayJump | undefined> {
    while (!signal.aborted) {
      if (this.control.jump !== undefined) return this.takeJump();
      await sleep(NOTICE_MS, undefined, { signal }).catch(() => {});
    }
    return undefined;
  }

  private takeJump(): ReplayJump | undefined {
    const { jump } = this.control;
    this.control.jump = undefined;
    return jump;
  }

  private targetOf(jump: ReplayJump): number {
    const { start, end } = this.span;
    if (jump.to === 'time') return clamp(jump.time, start, end);
    if (jump.to === 'offset') return clamp(this.time + jump.ms, start, end);
    const raised = this.recording.places
      .filter(({ isRaised }) => isRaised)
      .map(({ time }) => time - BEFORE_ALERT_MS);
    const next =
      jump.to === 'next-alert'
        ? raised.find((time) => time > this.time)
        : raised.findLast((time) => time < this.time - BEFORE_ALERT_MS);
    return clamp(next ?? this.time, start, end);
  }
}

const clamp = (value: number, least: number, most: number) => Math.min(Math.max(value, least), most);
