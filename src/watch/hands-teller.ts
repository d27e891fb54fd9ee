import { counted, duration, listed } from '../analyze/words.js';
import type { Change } from '../model/changes.js';
import { formatEndpoint } from '../model/endpoint.js';
import type { Listener } from '../model/listener.js';
import type { Scope } from '../model/observation.js';
import type { SocketTable } from '../model/table.js';
import { type Holders, isManager, ownersText } from './holders.js';
import { countLeft, hasConnections, type Left, leftText } from './left-behind.js';

/** What one look shows of it. */
export interface HandsLook {
  readonly time: number;
  readonly monotonic: number;
  readonly netns: string | undefined;
  readonly listeners: readonly Listener[];
  readonly table: SocketTable;
  readonly scope: Scope;
  /** Whether all connections are read, if not by every look. */
  readonly isAsked: boolean;
}

/** A hand-over that waits for the owners of the connections that are left. */
export interface PendingHandOver {
  readonly change: Change;
  readonly listeners: readonly Listener[];
  readonly from: Holders;
  /** Monotonic. */
  readonly since: number;
}

/** Listeners that went the same way at one look. */
interface HandOvers {
  readonly from: Holders;
  readonly to: Holders;
  readonly moved: { readonly listener: Listener; readonly awayMs: number | undefined }[];
}

/** Owners come with a later look than their sockets. */
export const PATIENCE_MS = 5000;
/** A host that starts hundreds of listeners at once says so in few lines. */
const MOST_CHANGES = 50;
/** So many hand-overs between the same processes are told one by one; more are one line. */
const MOST_ALONE = 3;

/** Gathers what a look has to say. */
export class HandsTeller {
  private readonly changes: Change[] = [];
  private readonly handOvers = new Map<string, HandOvers>();
  private more = 0;

  constructor(private readonly look: HandsLook) {}

  tell(kind: Change['kind'], listener: Listener, message: string, evidence: Change['evidence'] = []): void {
    this.add(this.make(kind, listener, message, evidence));
  }

  handOver(listener: Listener, from: Holders, to: Holders, awayMs: number | undefined): void {
    const [one] = from.values();
    if (from.size === 1 && one !== undefined && isManager(one))
      this.tell('owner', listener, `passed on by ${ownersText(from)} to ${ownersText(to)}`);
    else if ([...to.values()].every(isManager))
      this.tell('owner', listener, `back with ${ownersText(to)}, was ${ownersText(from)}`);
    else this.takeOver(listener, from, to, awayMs);
  }

  private takeOver(listener: Listener, from: Holders, to: Holders, awayMs: number | undefined): void {
    const way = `${[...from.keys()]} ${[...to.keys()]}`;
    const known = this.handOvers.get(way);
    if (known === undefined) this.handOvers.set(way, { from, to, moved: [{ listener, awayMs }] });
    else known.moved.push({ listener, awayMs });
  }

  /** A restart of a process with hundreds of listeners is one event. */
  private pendingOf({ from, to, moved }: HandOvers): PendingHandOver[] {
    const since = this.look.monotonic;
    const text = `taken over by ${ownersText(to)}, was ${ownersText(from)}`;
    if (moved.length <= MOST_ALONE)
      return moved.map(({ listener, awayMs }) => {
        const change = this.make('takeover', listener, `${text}${awayText(awayMs)}`, []);
        return { change, listeners: [listener], from, since };
      });
    const listeners = moved.map(({ listener }) => listener);
    const [first, ...others] = listeners;
    if (first === undefined) return [];
    const away = moved.flatMap(({ awayMs }) => awayMs ?? []);
    const longest = away.length === 0 ? undefined : Math.max(...away);
    const places = listed(listeners.map(({ local }) => formatEndpoint(local)));
    const message = `${text}${awayText(longest)}: ${counted(listeners.length, 'listener')} (${places})`;
    const change = { ...this.make('takeover', first, message, []), others: others.map(({ key }) => key) };
    return [{ change, listeners, from, since }];
  }

  /** Says hand-overs once it is known how many connections are left, or when waiting does not help; gives those that go on waiting. */
  settle(before: readonly PendingHandOver[]): readonly PendingHandOver[] {
    const pending: PendingHandOver[] = [];
    const fresh = [...this.handOvers.values()].flatMap((one) => this.pendingOf(one));
    for (const one of [...before, ...fresh]) {
      // Without a look at all connections their number is not known, however long one waits.
      if (!this.look.isAsked || !one.listeners.some(hasConnections)) {
        this.add(one.change);
        continue;
      }
      const left = countLeft(this.look, one.listeners, one.from);
      const isKnown = left !== undefined && left.unknown === 0;
      const isLate = this.look.monotonic - one.since >= PATIENCE_MS;
      if (isKnown || isLate) this.add(withLeft(one, left));
      else pending.push(one);
    }
    return pending;
  }

  told(): readonly Change[] {
    if (this.more === 0) return this.changes;
    const { time, netns } = this.look;
    const message = `${counted(this.more, 'further change')} of listeners at once`;
    const rest = {
      kind: 'listener' as const,
      time,
      subject: 'host',
      subjectText: 'host',
      message,
      evidence: [],
    };
    return [...this.changes, { ...rest, ...(netns !== undefined && { netns }) }];
  }

  private add(change: Change): void {
    // A hand-over is never left out for listeners that came.
    if (this.changes.length < MOST_CHANGES || change.kind === 'takeover') this.changes.push(change);
    else this.more++;
  }

  private make(
    kind: Change['kind'],
    listener: Listener,
    message: string,
    evidence: Change['evidence'],
  ): Change {
    const { time, netns } = this.look;
    const subjectText = formatEndpoint(listener.local) + mountsText(listener);
    const where = netns === undefined ? {} : { netns };
    return { kind, time, ...where, subject: listener.key, subjectText, message, evidence };
  }
}

/** The same path is another file in other mounts: as tables mark it. */
const mountsText = ({ local, home }: Listener): string =>
  home?.mountNamespace === undefined || local.kind !== 'unix' || !local.path.startsWith('/')
    ? ''
    : ` (mnt ${home.mountNamespace})`;

const awayText = (ms: number | undefined) =>
  ms === undefined ? '' : `, after up to ${duration(ms)} without a listener`;

function withLeft({ change, from }: PendingHandOver, left: Left | undefined): Change {
  if (left === undefined)
    return { ...change, message: `${change.message}; how many connections are left is not known` };
  const text = leftText(left, ownersText(from));
  const evidence = { metric: 'connections_left', value: left.count, unit: 'connections', text };
  return { ...change, message: `${change.message}; ${text}`, evidence: [evidence] };
}
