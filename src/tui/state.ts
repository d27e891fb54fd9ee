import type { Filter } from '../analyze/filter.js';
import type { ConnectionSort, ListenerSort } from '../analyze/sort.js';
import type { Change } from '../model/changes.js';
import type { ClosedGroup } from '../model/closed.js';
import type { AlertEvent } from '../model/findings.js';
import type { ListenerReport } from '../model/listener.js';
import type { Report } from '../model/report.js';
import type { SocketTable } from '../model/table.js';
import type { ClosedSort } from './closed-rows.js';
import { type Cursor, START } from './cursor.js';
import type { Glyphs } from './glyphs.js';
import type { SocketIdentity } from './identity.js';
import type { Panel, Size } from './layout.js';
import type { PoolRow, PoolSort } from './pool-rows.js';

export interface Sorting<By extends string> {
  readonly by: By;
  readonly descending: boolean;
}

export interface ListenersState {
  readonly items: readonly ListenerReport[];
  readonly total: number;
  /** The filter matches no listener: all are shown, for hiding a full queue helps nobody. */
  readonly matchless: boolean;
  readonly sorting: Sorting<ListenerSort>;
  readonly cursor: Cursor;
  readonly selected?: string | undefined;
}

export interface ConnectionsState {
  /** The table that `rows` point into. */
  readonly table?: SocketTable | undefined;
  readonly rows: Uint32Array;
  readonly basis?: RowsBasis | undefined;
  readonly total: number;
  readonly established: number;
  readonly sorting: Sorting<ConnectionSort>;
  readonly cursor: Cursor;
  readonly selected?: SocketIdentity | undefined;
}

/** In place of the connections while `p` is on. */
export interface PoolsState {
  readonly items: readonly PoolRow[];
  readonly sorting: Sorting<PoolSort>;
  readonly cursor: Cursor;
  readonly selected?: string | undefined;
}

/** In place of the connections while `e` is on. */
export interface ClosedState {
  readonly items: readonly ClosedGroup[];
  readonly sorting: Sorting<ClosedSort>;
  readonly cursor: Cursor;
  readonly selected?: string | undefined;
}

export interface FilterState {
  /** What works now: the last text that could be read. */
  readonly active?: Filter | undefined;
  /** What is typed; absent while the bar is closed. */
  readonly draft?: string | undefined;
  readonly error?: string | undefined;
  /** What was active when the bar was opened: Esc brings it back. */
  readonly before?: Filter | undefined;
}

/** The lists with an order of their own. */
export type SortedList = 'listeners' | 'connections' | 'closed' | 'pools';

export type Overlay =
  | { readonly kind: 'help'; readonly scroll: number }
  | { readonly kind: 'sort'; readonly panel: SortedList; readonly index: number }
  | {
      readonly kind: 'listener';
      readonly key: string;
      readonly scroll: number;
      readonly last: ListenerReport;
      readonly gone: boolean;
    }
  | {
      readonly kind: 'closed';
      readonly id: string;
      readonly scroll: number;
      readonly last: ClosedGroup;
      readonly gone: boolean;
    }
  | {
      readonly kind: 'pool';
      readonly id: string;
      readonly scroll: number;
      readonly last: PoolRow;
      readonly gone: boolean;
    }
  | {
      readonly kind: 'connection';
      readonly identity: SocketIdentity;
      readonly scroll: number;
      readonly table: SocketTable;
      readonly row: number;
      readonly seenAt: number;
      readonly gone: boolean;
    };

/** New connections per second at one time; absent = unknown. */
export interface RateSample {
  readonly time: number;
  readonly incoming?: number | undefined;
  readonly outgoing?: number | undefined;
}

/** What the rows were made from: when one of these is another, they are stale. */
export interface RowsBasis {
  readonly table: SocketTable | undefined;
  readonly filter: Filter | undefined;
  readonly sorting: Sorting<ConnectionSort>;
  /** Their order while pools are shown. */
  readonly pools: Sorting<PoolSort> | undefined;
}

/** The same for the listeners. */
export interface ListedBasis {
  readonly report: Report | undefined;
  readonly filter: Filter | undefined;
  readonly sorting: Sorting<ListenerSort>;
  readonly closedSorting: Sorting<ClosedSort>;
  readonly showsClosed: boolean;
}

/** Everything that the screen shows. Changed by `reduce` only. */
export interface UiState {
  readonly glyphs: Glyphs;
  /** Charts are drawn by the screen in braille; else by the views. */
  readonly braille: boolean;
  readonly size: Size;
  /** Wall clock, ms. */
  readonly now: number;
  readonly host: string;
  readonly demo: boolean;
  readonly intervalMs: number;
  readonly report?: Report | undefined;
  /** Wall clock when pause was pressed, and what came since. */
  readonly pausedAt?: number | undefined;
  readonly pending?: Report | undefined;
  readonly pendingAlerts: number;
  readonly rates: readonly RateSample[];
  /** Events of alerts, newest first. */
  readonly log: readonly AlertEvent[];
  /** What came, went or changed hands, newest first. */
  readonly changes: readonly Change[];
  readonly acknowledged: ReadonlySet<string>;
  readonly focus: Panel;
  readonly zoomed: boolean;
  /** Charts on a full screen, and on a compact one (where they take the place of the listeners). */
  readonly charts: { readonly full: boolean; readonly compact: boolean };
  readonly showPools: boolean;
  readonly showClosed: boolean;
  readonly listeners: ListenersState;
  readonly connections: ConnectionsState;
  readonly closed: ClosedState;
  readonly pools: PoolsState;
  readonly alertCursor: Cursor;
  readonly filter: FilterState;
  readonly overlay?: Overlay | undefined;
  readonly listed?: ListedBasis | undefined;
}

/** Whether a recording is shown. */
export const isReplay = ({ report }: UiState): boolean => report?.pace.replay !== undefined;

export interface UiStart {
  readonly glyphs: Glyphs;
  readonly braille: boolean;
  readonly size: Size;
  readonly now: number;
  readonly host: string;
  readonly demo: boolean;
  readonly intervalMs: number;
  readonly filter?: Filter | undefined;
}

export const startUi = ({ filter, ...start }: UiStart): UiState => ({
  ...start,
  pendingAlerts: 0,
  rates: [],
  log: [],
  changes: [],
  acknowledged: new Set(),
  focus: 'listeners',
  zoomed: false,
  charts: { full: true, compact: false },
  showPools: false,
  showClosed: false,
  listeners: {
    items: [],
    total: 0,
    matchless: false,
    sorting: { by: 'trouble', descending: true },
    cursor: START,
  },
  connections: {
    rows: new Uint32Array(0),
    total: 0,
    established: 0,
    sorting: { by: 'recvq', descending: true },
    cursor: START,
  },
  closed: { items: [], sorting: { by: 'rate', descending: true }, cursor: START },
  pools: { items: [], sorting: { by: 'open', descending: true }, cursor: START },
  alertCursor: START,
  filter: { active: filter },
});
