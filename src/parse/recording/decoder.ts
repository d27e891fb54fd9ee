import { ParseError } from '../../model/errors.js';
import { SEVERITIES } from '../../model/findings.js';
import type { Namespace } from '../../model/namespace.js';
import {
  type ClosedObservation,
  type GapObservation,
  type NamespacesObservation,
  type NetnsMark,
  type Observation,
  type Origin,
  type SamplesObservation,
  SCOPES,
  type Scope,
  type Sysctls,
  type TableObservation,
} from '../../model/observation.js';
import { EVENT_PHASES, LINE_KINDS, RECORDING_SCHEMA, type RecordedEvent } from '../../model/recording.js';
import { SocketTable } from '../../model/table.js';
import { millis, monotonicMillis, wallMillis } from '../../model/units.js';
import { readClosed } from './closed.js';
import { asList, asNumber, Fields } from './fields.js';
import { readGaps } from './gaps.js';
import { readHomes, readNamespace } from './homes.js';
import { readMoves } from './moves.js';
import { readProcesses } from './processes.js';
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
const MOST_PARTS = 100_000;
const SYSCTLS = ['somaxconn', 'tcpMaxSynBacklog', 'tcpSyncookies', 'tcpAbortOnOverflow'] as const;

/** What is known of the host at one place of a recording. */
interface Present {
  readonly rows: Map<Scope, Map<number, RecordedRow>>;
  counters: Record<string, number>;
  sysctls: Sysctls | undefined;
  descriptors: TableObservation['descriptors'];
  homes: TableObservation['homes'];
  /** Of the last look only: they say what was done then. */
  processes: TableObservation['processes'];
  namespace: Namespace | undefined;
  mark: NetnsMark | undefined;
}

const nothing = (): Present => ({
  rows: new Map(),
  counters: {},
  sysctls: undefined,
  descriptors: undefined,
  homes: undefined,
  processes: undefined,
  namespace: undefined,
  mark: undefined,
});

/** Reads the lines of a recording one after the other, from any `key` frame on. */
export class RecordingDecoder {
  private dictionary: Dictionary | undefined;
  private fixed: Pick<Origin, 'host' | 'netns' | 'bootId'> = { host: 'unknown' };
  /** By id of the namespace; '' is that of the head. */
  private presents = new Map<string, Present>();
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
          before: this.readBefore(fields, { time, monotonic, netns: this.fixed.netns }, where),
          observation: this.readGap(fields, time, monotonic, where),
        };
      case 'key':
        this.presents = new Map();
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
    const netns = fields.has('netns') ? fields.text('netns') : this.fixed.netns;
    const at = { time, monotonic, netns };
    const round = {
      tookMs: millis(fields.number('took_ms')),
      skippedTicks: fields.has('skipped') ? fields.number('skipped') : 0,
    };
    const before = this.readBefore(fields, at, where);
    const observation = fields.has('parts')
      ? this.readParts(fields, at, round, where)
      : this.readTable(fields, at, round, where);
    this.next = (this.next ?? 0) + 1;
    return { kind: 'observation', time, monotonic, before, observation };
  }

  /** One look into each namespace. */
  private readParts(fields: Fields, at: Place, round: Round, where: string): () => NamespacesObservation {
    const list = fields.list('parts');
    if (list.length > MOST_PARTS)
      throw new ParseError(where, `at most ${MOST_PARTS} namespaces`, String(list.length));
    const gaps = fields.has('gaps') ? readGaps(fields.list('gaps'), where) : [];
    const ids = new Set<string>();
    const looks = list.map((value, number) => {
      const place = `${where}, part ${number + 1}`;
      const part = Fields.of(value, place);
      const own = { ...at, netns: part.text('netns') };
      ids.add(own.netns);
      return part.has('scope')
        ? this.readTable(part, own, { ...round, skippedTicks: 0 }, place)
        : this.readPartGap(part, own, place);
    });
    for (const id of this.presents.keys()) if (!ids.has(id)) this.presents.delete(id);
    return () => ({
      kind: 'namespaces',
      origin: this.origin(at),
      looks: looks.map((look) => look()),
      ...round,
      gaps,
    });
  }

  private readPartGap(fields: Fields, at: Place, where: string): () => GapObservation {
    const { namespace } = this.presentOf(fields, at, where);
    const gap = readGap(fields, where);
    return () => ({ ...gap, origin: this.origin(at), ...(namespace && { namespace }) });
  }

  /** What is known of a namespace, with the names that the line may tell. */
  private presentOf(fields: Fields, { netns }: Place, where: string): Present {
    const id = netns ?? '';
    const present = this.presents.get(id) ?? nothing();
    this.presents.set(id, present);
    if (fields.has('names')) present.namespace = { id, ...readNamespace(fields.value('names'), where) };
    return present;
  }

  private readTable(fields: Fields, at: Place, round: Round, where: string): () => TableObservation {
    const { dictionary } = this;
    if (dictionary === undefined) throw new ParseError(where, 'the head of the recording before', 'a frame');
    const { monotonic } = at;
    const scope = fields.oneOf('scope', SCOPES);
    const changed = fields
      .list('rows')
      .map((row, number) => readRow(row, dictionary, monotonic, `${where}, row ${number + 1}`));
    const areMovesTold = fields.has('moved');
    const move = areMovesTold ? readMoves(fields.list('moved'), dictionary, monotonic, where) : undefined;
    const gone = fields.has('gone') ? fields.list('gone').map((id) => asNumber(id, where)) : [];
    const gaps = fields.has('gaps') ? readGaps(fields.list('gaps'), where) : [];
    const counters = fields.has('counters') ? fields.numbers('counters') : {};
    const sysctls = fields.has('sysctls') ? readSysctls(fields.numbers('sysctls')) : undefined;
    const descriptors = fields.has('fds') ? readDescriptors(fields.list('fds'), where) : undefined;
    const homes = fields.has('homes') ? readHomes(fields.list('homes'), where) : undefined;
    const present = this.presentOf(fields, at, where);
    present.processes = fields.has('processes')
      ? readProcesses(fields.list('processes'), present.processes, where)
      : undefined;
    if (fields.has('mark')) present.mark = fields.text('mark');
    present.sysctls = sysctls ?? present.sysctls;
    present.descriptors = descriptors ?? present.descriptors;
    present.homes = homes ?? present.homes;
    present.counters = { ...present.counters, ...counters };
    const known = present.rows.get(scope) ?? new Map<number, RecordedRow>();
    const rows = fields.has('full') ? new Map<number, RecordedRow>() : known;
    for (const id of gone) rows.delete(id);
    move?.(rows);
    for (const row of changed) rows.set(row.id, row);
    if (rows.size > MOST_ROWS) throw new ParseError(where, `at most ${MOST_ROWS} sockets`, String(rows.size));
    present.rows.set(scope, rows);
    const { rows: _, counters: all, ...rest } = { ...present };
    return () => ({
      kind: 'table',
      origin: { ...this.origin(at), ...(rest.mark !== undefined && { netnsMark: rest.mark }) },
      scope,
      sockets: tableOf(
        rows,
        { monotonic, areMovesTold },
        rest.namespace ?? (at.netns === undefined ? undefined : { id: at.netns }),
      ),
      ...(Object.keys(all).length > 0 && { counters: all }),
      ...(rest.sysctls !== undefined && { sysctls: rest.sysctls }),
      ...(rest.descriptors !== undefined && { descriptors: rest.descriptors }),
      ...(rest.homes !== undefined && { homes: rest.homes }),
      ...(rest.processes !== undefined && { processes: rest.processes }),
      ...(rest.namespace !== undefined && { namespace: rest.namespace }),
      ...round,
      gaps,
    });
  }

  private readGap(fields: Fields, time: number, monotonic: number, where: string): () => Observation {
    const gap = readGap(fields, where);
    return () => ({ ...gap, origin: this.origin({ time, monotonic, netns: this.fixed.netns }) });
  }

  private readBefore(fields: Fields, at: Place, where: string) {
    const samples = readSamples(fields, where);
    const { dictionary } = this;
    const closed = dictionary === undefined ? [] : readClosed(fields, dictionary, where);
    return () => {
      const origin = this.origin({ ...at, netns: this.fixed.netns ?? at.netns });
      return [...samples(origin), ...closed.map((read) => read(origin))];
    };
  }

  private origin({ time, monotonic, netns }: Place): Origin {
    return {
      ...this.fixed,
      ...(netns !== undefined && { netns }),
      source: 'recording',
      time: wallMillis(time),
      monotonic: monotonicMillis(monotonic),
    };
  }
}

/** Where and when a look was. */
interface Place {
  readonly time: number;
  readonly monotonic: number;
  readonly netns: string | undefined;
}

type Round = Pick<TableObservation, 'tookMs' | 'skippedTicks'>;

/** Without its origin. */
function readGap(fields: Fields, where: string): Omit<GapObservation, 'origin' | 'namespace'> {
  return {
    kind: 'gap',
    gaps: readGaps(fields.list('gaps'), where),
    ...(fields.has('fault') && { fault: fields.text('fault') }),
    ...(fields.has('remedy') && { remedy: fields.text('remedy') }),
  };
}

function tableOf(
  rows: ReadonlyMap<number, RecordedRow>,
  { monotonic, areMovesTold }: { readonly monotonic: number; readonly areMovesTold: boolean },
  namespace: Namespace | undefined,
): SocketTable {
  const table = new SocketTable();
  if (namespace !== undefined) table.sections = [{ from: 0, namespace }];
  table.reserve(rows.size);
  for (const row of rows.values()) addRow(table, row, monotonic, areMovesTold);
  return table;
}

const readEvent = (fields: Fields): RecordedEvent => ({
  phase: fields.oneOf('phase', EVENT_PHASES),
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
