import { ParseError } from '../../model/errors.js';
import { ALERT_PHASES, SEVERITIES } from '../../model/findings.js';
import {
  type ClosedObservation,
  type Counters,
  type Observation,
  type Origin,
  type SamplesObservation,
  SCOPES,
  type Scope,
  type Sysctls,
  type TableObservation,
} from '../../model/observation.js';
import { LINE_KINDS, RECORDING_SCHEMA, type RecordedEvent } from '../../model/recording.js';
import { SocketTable } from '../../model/table.js';
import { millis, monotonicMillis, wallMillis } from '../../model/units.js';
import { readClosed } from './closed.js';
import { asList, asNumber, Fields } from './fields.js';
import { readGaps } from './gaps.js';
import { addRow, type Dictionary, type RecordedRow, readDictionary, readRow } from './rows.js';
import { readSamples } from './samples.js';

/** What one line was; `observation` is made only when it is asked for. */
export type Decoded =
  | { readonly kind: 'head' }
  /** A frame that builds on one that is missing: nothing can be shown until the next `key` frame. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'event'; readonly event: RecordedEvent; readonly time: number }
  | {
      readonly kind: 'observation';
      readonly time: number;
      readonly monotonic: number;
      /** What was sampled before it, and what ended. */
      readonly before: () => readonly (SamplesObservation | ClosedObservation)[];
      readonly observation: () => Observation;
    };

/** More sockets than any host has: a forged recording ends here. */
const MOST_ROWS = 2_000_000;
const SYSCTLS = ['somaxconn', 'tcpMaxSynBacklog', 'tcpSyncookies', 'tcpAbortOnOverflow'] as const;

/** What is known of the host at one place of a recording. */
interface Present {
  readonly rows: Map<Scope, Map<number, RecordedRow>>;
  counters: Record<string, number>;
  sysctls: Sysctls | undefined;
  descriptors: TableObservation['descriptors'];
}

const nothing = (): Present => ({
  rows: new Map(),
  counters: {},
  sysctls: undefined,
  descriptors: undefined,
});

/** Reads the lines of a recording one after the other, from any `key` frame on. */
export class RecordingDecoder {
  private dictionary: Dictionary | undefined;
  private fixed: Pick<Origin, 'host' | 'netns' | 'bootId'> = { host: 'unknown' };
  private present = nothing();
  /** Number of the frame that fits; `undefined`: only a `key` frame does. */
  private next: number | undefined;

  /** @throws ParseError that names `where`: the line changes nothing then */
  decode(text: string, where: string): Decoded {
    const fields = Fields.parse(text, where);
    const kind = fields.oneOf('k', LINE_KINDS);
    const time = fields.number('t');
    const monotonic = fields.number('m');
    switch (kind) {
      case 'head':
        this.readHead(fields, where);
        return { kind: 'head' };
      case 'event':
        return { kind: 'event', event: readEvent(fields), time };
      case 'gap':
        return {
          kind: 'observation',
          time,
          monotonic,
          before: this.readBefore(fields, time, monotonic, where),
          observation: this.readGap(fields, time, monotonic, where),
        };
      case 'key':
        this.present = nothing();
        this.next = 0;
        return this.readFrame(fields, time, monotonic, where);
      case 'frame':
        // Without the frame that it builds on it says nothing.
        if (fields.number('n') !== this.next) return { kind: 'lost' };
        return this.readFrame(fields, time, monotonic, where);
    }
  }

  private readHead(fields: Fields, where: string): void {
    const schema = fields.text('schema');
    if (schema !== RECORDING_SCHEMA) throw new ParseError(where, RECORDING_SCHEMA, schema);
    this.dictionary = readDictionary(fields.list('protocols'), fields.list('states'), fields.list('columns'));
    this.fixed = {
      host: fields.text('host'),
      ...(fields.has('netns') && { netns: fields.text('netns') }),
      ...(fields.has('boot_id') && { bootId: fields.text('boot_id') }),
    };
    this.next = undefined;
  }

  private readFrame(fields: Fields, time: number, monotonic: number, where: string): Decoded {
    const { dictionary, present } = this;
    if (dictionary === undefined) throw new ParseError(where, 'the head of the recording before', 'a frame');
    const scope = fields.oneOf('scope', SCOPES);
    const changed = fields
      .list('rows')
      .map((row, at) => readRow(row, dictionary, monotonic, `${where}, row ${at + 1}`));
    const gone = fields.has('gone') ? fields.list('gone').map((id) => asNumber(id, where)) : [];
    const gaps = fields.has('gaps') ? readGaps(fields.list('gaps'), where) : [];
    const before = this.readBefore(fields, time, monotonic, where);
    const tookMs = fields.number('took_ms');
    const skippedTicks = fields.has('skipped') ? fields.number('skipped') : 0;
    const counters = fields.has('counters') ? fields.numbers('counters') : {};
    if (fields.has('sysctls')) present.sysctls = readSysctls(fields.numbers('sysctls'));
    if (fields.has('fds')) present.descriptors = readDescriptors(fields.list('fds'), where);
    present.counters = { ...present.counters, ...counters };
    const known = present.rows.get(scope) ?? new Map<number, RecordedRow>();
    const rows = fields.has('full') ? new Map<number, RecordedRow>() : known;
    for (const id of gone) rows.delete(id);
    for (const row of changed) rows.set(row.id, row);
    if (rows.size > MOST_ROWS) throw new ParseError(where, `at most ${MOST_ROWS} sockets`, String(rows.size));
    present.rows.set(scope, rows);
    this.next = (this.next ?? 0) + 1;
    const { sysctls, descriptors } = present;
    const all: Counters = present.counters;
    const observation = (): TableObservation => ({
      kind: 'table',
      origin: this.origin(time, monotonic),
      scope,
      sockets: tableOf(rows, monotonic),
      ...(Object.keys(all).length > 0 && { counters: all }),
      ...(sysctls !== undefined && { sysctls }),
      ...(descriptors !== undefined && { descriptors }),
      tookMs: millis(tookMs),
      skippedTicks,
      gaps,
    });
    return { kind: 'observation', time, monotonic, before, observation };
  }

  private readGap(fields: Fields, time: number, monotonic: number, where: string): () => Observation {
    const gaps = readGaps(fields.list('gaps'), where);
    const rest = {
      ...(fields.has('fault') && { fault: fields.text('fault') }),
      ...(fields.has('remedy') && { remedy: fields.text('remedy') }),
    };
    return () => ({ kind: 'gap', origin: this.origin(time, monotonic), gaps, ...rest });
  }

  private readBefore(fields: Fields, time: number, monotonic: number, where: string) {
    const samples = readSamples(fields, where);
    const { dictionary } = this;
    const closed = dictionary === undefined ? [] : readClosed(fields, dictionary, where);
    return () => {
      const origin = this.origin(time, monotonic);
      return [...samples(origin), ...closed.map((read) => read(origin))];
    };
  }

  private origin(time: number, monotonic: number): Origin {
    return {
      ...this.fixed,
      source: 'recording',
      time: wallMillis(time),
      monotonic: monotonicMillis(monotonic),
    };
  }
}

function tableOf(rows: ReadonlyMap<number, RecordedRow>, monotonic: number): SocketTable {
  const table = new SocketTable();
  table.reserve(rows.size);
  for (const row of rows.values()) addRow(table, row, monotonic);
  return table;
}

const readEvent = (fields: Fields): RecordedEvent => ({
  phase: fields.oneOf('phase', ALERT_PHASES),
  rule: fields.text('rule'),
  severity: fields.oneOf('severity', SEVERITIES),
  subject: fields.text('subject'),
  message: fields.text('message'),
});

function readSysctls(numbers: Readonly<Record<string, number>>): Sysctls {
  return Object.fromEntries(
    SYSCTLS.flatMap((name) => (numbers[name] === undefined ? [] : [[name, numbers[name]]])),
  );
}

function readDescriptors(
  list: readonly unknown[],
  where: string,
): NonNullable<TableObservation['descriptors']> {
  return new Map(
    list.map((value) => {
      const [pid, open, limit] = asList(value, where);
      return [asNumber(pid, where), { open: asNumber(open, where), limit: asNumber(limit, where) }] as const;
    }),
  );
}
