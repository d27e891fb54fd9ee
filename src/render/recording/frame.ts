import type { Home, Namespace } from '../../model/namespace.js';
import type { Counters, Gap, NetnsMark, Origin, Scope, TableObservation } from '../../model/observation.js';
import type { SocketTable } from '../../model/table.js';
import { redactHome, redactNamespace } from '../labels.js';
import type { Names } from '../names.js';
import { Lineage } from './lineage.js';
import type { MoveAllowance } from './moves.js';
import { ProcessEncoder } from './processes.js';
import { rowList } from './rows.js';

/** What has changed in one network namespace since its frame before, from one `key` frame to the next. */
export class FrameEncoder {
  private readonly lineages = new Map<Scope, Lineage>();
  private counters: Counters = {};
  private settings = '';
  private described = '';
  private readonly processes = new ProcessEncoder();
  private mark: NetnsMark | undefined;

  constructor(
    private readonly names: Names,
    private readonly allowance: MoveAllowance,
  ) {}

  /** Its names, where they were not told yet. */
  namespace(namespace: Namespace | undefined): { readonly names?: object } {
    if (namespace === undefined) return {};
    const { id: _, ...names } = redactNamespace(namespace, this.names);
    const text = JSON.stringify(names);
    if (text === this.described) return {};
    this.described = text;
    return { names };
  }

  /** What tells it from another one with its inode, where it was not told yet. */
  private changedMark({ netnsMark }: Origin): { readonly mark?: NetnsMark } {
    if (netnsMark === undefined || netnsMark === this.mark) return {};
    this.mark = netnsMark;
    return { mark: netnsMark };
  }

  fields(observation: TableObservation) {
    const { origin, scope, sockets, gaps, namespace } = observation;
    let lineage = this.lineages.get(scope);
    const isFull = lineage === undefined;
    lineage ??= new Lineage();
    this.lineages.set(scope, lineage);
    const { rows, gone, moved } = lineage.advance(sockets, origin.monotonic, this.allowance);
    const processes = this.processes.list(observation.processes);
    return {
      scope,
      source: origin.source,
      ...(isFull && { full: true }),
      ...this.namespace(namespace),
      ...this.changedMark(origin),
      ...this.changedCounters(observation.counters),
      ...this.changedSettings(observation),
      ...(processes && { processes }),
      ...(gaps.length > 0 && { gaps: gapList(gaps, this.names) }),
      rows: this.rows(sockets, rows),
      ...(gone.length > 0 && { gone }),
      ...(moved && !isFull && { moved }),
    };
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

  private changedSettings({ sysctls, descriptors, homes }: TableObservation) {
    const settings = {
      ...(sysctls !== undefined && { sysctls }),
      ...(descriptors !== undefined && {
        fds: [...descriptors].map(([pid, { open, limit }]) => [pid, open, limit]),
      }),
      ...(homes !== undefined && { homes: [...homes].map(([pid, home]) => this.homeList(pid, home)) }),
    };
    const text = JSON.stringify(settings);
    if (text === this.settings) return {};
    this.settings = text;
    return settings;
  }

  private homeList(pid: number, home: Home): unknown[] {
    return [pid, redactHome(home, this.names)];
  }
}

export const round = (value: number) => Math.round(value * 1000) / 1000;

export const gapList = (gaps: readonly Gap[], names: Names) =>
  gaps.map(({ what, why, line: number }) => ({
    what: names.sentence(what),
    why: names.sentence(why),
    ...(number !== undefined && { line: number }),
  }));
