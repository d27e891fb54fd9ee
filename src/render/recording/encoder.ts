import type { Change } from '../../model/changes.js';
import type { AlertEvent } from '../../model/findings.js';
import type {
  ClosedObservation,
  GapObservation,
  NamespacesObservation,
  Observation,
  Origin,
  TableObservation,
} from '../../model/observation.js';
import { type LineKind, linePrefix, RECORDING_SCHEMA, type RecordedEvent } from '../../model/recording.js';
import { PROTOCOLS, SOCKET_STATES } from '../../model/sockets.js';
import { OPTIONAL_COLUMNS } from '../../model/table.js';
import type { Names } from '../names.js';
import { closedFields } from './closed.js';
import { FrameEncoder, gapList, round } from './frame.js';
import { MoveAllowance } from './moves.js';
import { samplesFields } from './samples.js';

export interface EncodedLine {
  readonly kind: LineKind;
  /** One line of JSON with its newline. */
  readonly text: string;
}

/** What belongs to the next frame, and of which namespace it is. */
interface OfNamespace {
  readonly netns: string | undefined;
  readonly fields: object;
}

/** Observations of connections that ended in one namespace that wait for a look. */
const MOST_ENDED = 64;

/** How often everything is written anew: what lies between must be read to show one moment. */
const KEY_EVERY_MS = 60_000;

/**
 * Makes the lines of a recording. A `key` frame every minute has all sockets; the frames between have what changed. Scopes are
 * followed apart: a look at the listeners says nothing of connections that it did not ask for; and so are network namespaces.
 */
export class RecordingEncoder {
  /** By id of the namespace. */
  private frames = new Map<string, FrameEncoder>();
  private readonly allowance = new MoveAllowance();
  private headNetns: string | undefined;
  private nextKey = Number.NEGATIVE_INFINITY;
  /** Of the next frame since the last `key`: a reader sees that one is missing. */
  private number = 0;
  private sampled: OfNamespace[] = [];
  private ended: (OfNamespace & { readonly fields: { readonly rows: readonly unknown[] } })[] = [];

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
    this.headNetns = origin.netns;
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
    if (observation.kind === 'table' || observation.kind === 'namespaces') return this.look(observation);
    if (observation.kind === 'samples') {
      const { netns } = observation.origin;
      this.sampled.push({ netns, fields: samplesFields(observation, this.names) });
    }
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

  /** What came, went or changed hands. */
  change({ kind, subjectText, message }: Change, origin: Origin): EncodedLine {
    const event: RecordedEvent = {
      phase: 'noted',
      rule: kind,
      severity: 'info',
      subject: this.names.sentence(subjectText),
      message: this.names.sentence(message),
    };
    return line('event', origin, event);
  }

  /** A look: of one namespace, or one part for each. */
  private look(observation: TableObservation | NamespacesObservation): EncodedLine {
    const { origin, tookMs, skippedTicks } = observation;
    const isKey = origin.monotonic >= this.nextKey;
    this.allowance.refill(origin.monotonic);
    if (isKey) this.startKey(origin.monotonic);
    return line(isKey ? 'key' : 'frame', origin, {
      n: this.number++,
      ...(origin.netns !== this.headNetns && { netns: origin.netns }),
      took_ms: round(tookMs),
      ...(skippedTicks > 0 && { skipped: skippedTicks }),
      ...this.takeSamples(),
      ...this.takeEnded(),
      ...(observation.kind === 'table'
        ? this.framesOf(observation.origin).fields(observation)
        : this.parts(observation)),
    });
  }

  private parts({ origin, looks, gaps }: NamespacesObservation) {
    const parts = looks.map((look) => {
      const { netns, source } = look.origin;
      const frames = this.framesOf(look.origin);
      const namespace = frames.namespace(look.namespace);
      if (look.kind === 'gap') return { netns, source, ...namespace, ...this.gapFields(look) };
      return { netns, ...namespace, ...frames.fields(look) };
    });
    const present = new Set(looks.map((look) => look.origin.netns ?? ''));
    for (const id of this.frames.keys()) if (!present.has(id)) this.frames.delete(id);
    return { source: origin.source, ...(gaps.length > 0 && { gaps: gapList(gaps, this.names) }), parts };
  }

  private framesOf({ netns = '' }: Origin): FrameEncoder {
    const known = this.frames.get(netns) ?? new FrameEncoder(this.names, this.allowance);
    this.frames.set(netns, known);
    return known;
  }

  /** Between them and the frame nothing can be lost. */
  private takeSamples() {
    const samples = this.sampled;
    this.sampled = [];
    return samples.length > 0 ? { samples: this.placed(samples) } : {};
  }

  private takeEnded() {
    const closed = this.ended;
    this.ended = [];
    return closed.length > 0 ? { closed: this.placed(closed) } : {};
  }

  /** Those of the namespace of the head do not say it. */
  private placed(list: readonly OfNamespace[]): object[] {
    return list.map(({ netns, fields }) => (netns === this.headNetns ? fields : { netns, ...fields }));
  }

  /** Without a look for long the oldest go: nothing could be said of when they were. */
  private keepEnded(observation: ClosedObservation): void {
    const { netns } = observation.origin;
    const before = this.ended.filter(({ fields }) => fields.rows.length > 0).length;
    const ofIts = this.ended.flatMap((one, at) => (one.netns === netns ? [at] : []));
    this.ended.push({ netns, fields: closedFields(observation, this.names, before) });
    if (ofIts.length >= MOST_ENDED) this.ended.splice(ofIts[0] ?? 0, 1);
  }

  private startKey(monotonic: number): void {
    this.nextKey = monotonic + this.keyEveryMs;
    this.frames = new Map();
    this.number = 0;
  }

  private gap(observation: GapObservation): EncodedLine {
    return line('gap', observation.origin, {
      ...this.gapFields(observation),
      ...this.takeSamples(),
      ...this.takeEnded(),
    });
  }

  private gapFields({ gaps, fault, remedy }: GapObservation) {
    return {
      gaps: gapList(gaps, this.names),
      ...(fault !== undefined && { fault }),
      ...(remedy !== undefined && { remedy: this.names.sentence(remedy) }),
    };
  }
}

function line(kind: LineKind, { time, monotonic }: Origin, fields: object): EncodedLine {
  return { kind, text: `${linePrefix(kind, time, round(monotonic))},${JSON.stringify(fields).slice(1)}\n` };
}
