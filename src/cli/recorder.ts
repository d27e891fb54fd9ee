import type { RecordingWriter } from '../collect/recording-writer.js';
import type { Observation, Origin } from '../model/observation.js';
import type { Report } from '../model/report.js';
import type { EncodedLine, RecordingEncoder } from '../render/recording/encoder.js';

/** Writes observations and the events of their reports to a file, in the order in which they came. */
export class Recorder {
  private origin: Origin | undefined;
  lines = 0;

  constructor(
    private readonly encoder: RecordingEncoder,
    private readonly writer: RecordingWriter,
  ) {}

  /** Throws SockwatchError where the file cannot be written. */
  async take(observation: Observation): Promise<void> {
    const { origin } = observation;
    const isDue = this.writer.isDue(origin.monotonic);
    if (isDue) await this.writer.rotate();
    if (isDue || this.origin === undefined) await this.write(this.encoder.head(origin), origin);
    this.origin = origin;
    await this.write(this.encoder.encode(observation), origin);
  }

  async events({ events, changes = [], origin }: Report): Promise<void> {
    for (const event of events) await this.write(this.encoder.event(event, origin), origin);
    for (const change of changes) await this.write(this.encoder.change(change, origin), origin);
  }

  close(): Promise<void> {
    return this.writer.close();
  }

  private async write(line: EncodedLine | undefined, { monotonic }: Origin): Promise<void> {
    if (line === undefined) return;
    await this.writer.write(line.text, line.kind === 'key', monotonic);
    this.lines++;
  }
}

/** What hears observations and reports on their way; its faults end neither. */
export interface Tap {
  take(observation: Observation): Promise<void>;
  events(report: Report): Promise<void>;
  close(): Promise<void>;
}

/** Goes on without the tap once it has failed; `onFailure` hears why, once. */
export function forgiving(tap: Tap, onFailure: (error: Error) => void): Tap {
  let failed = false;
  const attempt = async (act: () => Promise<void>) => {
    if (failed) return;
    try {
      await act();
    } catch (error) {
      failed = true;
      onFailure(error as Error);
    }
  };
  return {
    take: (observation) => attempt(() => tap.take(observation)),
    events: (report) => attempt(() => tap.events(report)),
    close: () => attempt(() => tap.close()),
  };
}

/** Shows each observation to the taps before it goes on. */
export async function* tapObservations(
  observations: AsyncIterable<Observation>,
  taps: readonly Tap[],
): AsyncGenerator<Observation> {
  for await (const observation of observations) {
    for (const tap of taps) await tap.take(observation);
    yield observation;
  }
}

export async function* tapEvents(
  reports: AsyncIterable<Report>,
  taps: readonly Tap[],
): AsyncGenerator<Report> {
  for await (const report of reports) {
    for (const tap of taps) await tap.events(report);
    yield report;
  }
}
