import type { AlertEvent } from '../../model/findings.js';
import type {
  ClosedObservation,
  Counters,
  GapObservation,
  Observation,
  Origin,
  Scope,
  TableObservation,
} from '../../model/observation.js';
import { type LineKind, linePrefix, RECORDING_SCHEMA, type RecordedEvent } from '../../model/recording.js';
import { PROTOCOLS, SOCKET_STATES } from '../../model/sockets.js';
import { OPTIONAL_COLUMNS, type SocketTable } from '../../model/table.js';
import type { Names } from '../names.js';
import { closedFields } from './closed.js';
import { Lineage } from './lineage.js';
import { rowList } from './rows.js';
import { samplesFields } from './samples.js';

export interface EncodedLine {
  readonly kind: LineKind;
  /** One line of JSON with its newline. */
  readonly text: string;
}

/** Observations of connections that ended that wait for a look. */
const MOST_ENDED = 64;

/** How often everything is written anew: what lies between must be read to show one moment. */
const KEY_EVERY_MS = 60_000;

/**
 * Makes the lines of a recording. A `key` frame every minute has all sockets; the frames between have what changed. Scopes are
 * followed apart: a look at the listeners says nothing of connections that it did not ask for.
 */
export class RecordingEncoder {
  private lineages = new Map<Scope, Lineage>();
  private counters: Counters = {};
  private settings = '';
  private nextKey = Number.NEGATIVE_INFINITY;
  /** Of the next frame since the last `key`: a reader sees that one is missing. */
  private number = 0;
  private sampled: object[] = [];
  private ended: object[] = [];

  constructor(
    private readonly names: Names,
    private readonly version: string,
    private readonly keyEveryMs = KEY_EVERY_MS,
  ) {}

  /** The first line of a file. What follows starts with a `key` frame. */
  head(origin: Origin): EncodedLine {
    this.nextKey = Number.NEGATIVE_INFINITY;
    return this.describe(origin);
  }

  /** The first line for frames that were made already. */
  describe(origin: Origin): EncodedLine {
    return line('head', origin, {
      schema: RECORDING_SCHEMA,
      version: this.version,
      host: this.names.machine(origin.host),
      ...(origin.netns !== undefined && { netns: origin.netns }),
      ...(origin.bootId !== undefined && !this.names.redacted && { boot_id: origin.bootId }),
      protocols: PROTOCOLS,
      states: SOCKET_STATES,
      columns: OPTIONAL_COLUMNS,
    });
  }

  /** `undefined` for observations that a recording does not hold, and for samples and connections that ended: the next frame has them. */
  encode(observation: Observation): EncodedLine | undefined {
    if (observation.kind === 'table') return this.table(observation);
    if (observation.kind === 'samples') this.sampled.push(samplesFields(observation, this.names));
    if (observation.kind === 'closed') this.keepEnded(observation);
    return observation.kind === 'gap' ? this.gap(observation) : undefined;
  }

  event({ phase, alert }: AlertEvent, origin: Origin): EncodedLine {
    const { finding, subjectText } = alert;
    const event: RecordedEvent = {
      phase,
      rule: finding.rule,
      severity: finding.severity,
      subject: this.names.sentence(subjectText),
      message: this.names.sentence(finding.message),
    };
    return line('event', origin, event);
  }

  private table(observation: TableObservation): EncodedLine {
    const { origin, scope, sockets } = observation;
    const isKey = origin.monotonic >= this.nextKey;
    if (isKey) this.startKey(origin.monotonic);
    let lineage = this.lineages.get(scope);
    const isFull = lineage === undefined;
    lineage ??= new Lineage();
    this.lineages.set(scope, lineage);
    const { rows, gone } = lineage.advance(sockets);
    return line(isKey ? 'key' : 'frame', origin, {
      n: this.number++,
      scope,
      source: origin.source,
      ...(isFull && { full: true }),
      took_ms: round(observation.tookMs),
      ...(observation.skippedTicks > 0 && { skipped: observation.skippedTicks }),
      ...this.changedCounters(observation.counters),
      ...this.changedSettings(observation),
      ...(observation.gaps.length > 0 && { gaps: this.gaps(observation.gaps) }),
      ...this.takeSamples(),
      ...this.takeEnded(),
      rows: this.rows(sockets, rows),
      ...(gone.length > 0 && { gone }),
    });
  }

  /** Between them and the frame nothing can be lost. */
  private takeSamples() {
    const samples = this.sampled;
    this.sampled = [];
    return samples.length > 0 ? { samples } : {};
  }

  private takeEnded() {
    const closed = this.ended;
    this.ended = [];
    return closed.length > 0 ? { closed } : {};
  }

  /** Without a look for long the oldest go: nothing could be said of when they were. */
  private keepEnded(observation: ClosedObservation): void {
    this.ended.push(closedFields(observation, this.names));
    if (this.ended.length > MOST_ENDED) this.ended.splice(0, 1);
  }

  private startKey(monotonic: number): void {
    this.nextKey = monotonic + this.keyEveryMs;
    this.lineages = new Map();
    this.counters = {};
    this.settings = '';
    this.number = 0;
  }

  private rows(table: SocketTable, rows: readonly (readonly [number, number])[]): unknown[] {
    const cursor = table.cursor();
    return rows.map(([id, row]) => {
      cursor.index = row;
      return rowList(id, cursor, this.names);
    });
  }

  private changedCounters(counters: Counters | undefined) {
    if (counters === undefined) return {};
    const changed = Object.fromEntries(
      Object.entries(counters).filter(([name, value]) => this.counters[name] !== value),
    );
    this.counters = counters;
    return { counters: changed };
  }

  private changedSettings({ sysctls, descriptors }: TableObservation) {
    const settings = {
      ...(sysctls !== undefined && { sysctls }),
      ...(descriptors !== undefined && {
        fds: [...descriptors].map(([pid, { open, limit }]) => [pid, open, limit]),
      }),
    };
    const text = JSON.stringify(settings);
    if (text === this.settings) return {};
    this.settings = text;
    return settings;
  }

  private gap({ origin, gaps, fault, remedy }: GapObservation): EncodedLine {
    return line('gap', origin, {
      gaps: this.gaps(gaps),
      ...this.takeSamples(),
      ...this.takeEnded(),
      ...(fault !== undefined && { fault }),
      ...(remedy !== undefined && { remedy: this.names.sentence(remedy) }),
    });
  }

  private gaps(gaps: TableObservation['gaps']) {
    return gaps.map(({ what, why, line: number }) => ({
      what: this.names.sentence(what),
      why: this.names.sentence(why),
      ...(number !== undefined && { line: number }),
    }));
  }
}

const round = (value: number) => Math.round(value * 1000) / 1000;

function line(kind: LineKind, { time, monotonic }: Origin, fields: object): EncodedLine {
  return { kind, text: `${linePrefix(kind, time, round(monotonic))},${JSON.stringify(fields).slice(1)}\n` };
}
