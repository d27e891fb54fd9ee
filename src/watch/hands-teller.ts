import { counted, duration } from '../analyze/words.js';
import type { Change } from '../model/changes.js';
import { formatEndpoint } from '../model/endpoint.js';
import type { Listener } from '../model/listener.js';
import type { Scope } from '../model/observation.js';
import type { SocketTable } from '../model/table.js';
import { type Holders, isManager, ownersText } from './holders.js';
import { countLeft, type Left, leftText } from './left-behind.js';

/** What one look shows of it. */
export interface HandsLook {
  readonly time: number;
  readonly monotonic: number;
  readonly netns: string | undefined;
  readonly listeners: readonly Listener[];
  readonly table: SocketTable;
  readonly scope: Scope;
}

/** A hand-over that waits for the owners of the connections that are left. */
export interface PendingHandOver {
  readonly change: Change;
  readonly listener: Listener;
  readonly from: Holders;
  /** Monotonic. */
  readonly since: number;
}

/** Owners come with a later look than their sockets. */
export const PATIENCE_MS = 5000;
/** A host that starts hundreds of listeners at once says so in few lines. */
const MOST_CHANGES = 50;

/** Gathers what a look has to say. */
export class HandsTeller {
  private readonly changes: Change[] = [];
  private readonly waiting: PendingHandOver[] = [];
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
    const away = awayMs === undefined ? '' : `, after up to ${duration(awayMs)} without a listener`;
    const message = `taken over by ${ownersText(to)}, was ${ownersText(from)}${away}`;
    const change = this.make('takeover', listener, message, []);
    this.waiting.push({ change, listener, from, since: this.look.monotonic });
  }

  /** Says hand-overs once it is known how many connections are left, or when waiting does not help; gives those that go on waiting. */
  settle(before: readonly PendingHandOver[]): readonly PendingHandOver[] {
    const pending: PendingHandOver[] = [];
    for (const one of [...before, ...this.waiting]) {
      const left = countLeft(this.look, one.listener, one.from);
      const isKnown = left !== undefined && left.unknown === 0;
      const isLate = this.look.monotonic - one.since >= PATIENCE_MS;
      // Without a look at all connections their number is not known, however long one waits.
      if (isKnown || isLate || left === undefined) this.add(withLeft(one, left));
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
    const subjectText = formatEndpoint(listener.local);
    const where = netns === undefined ? {} : { netns };
    return { kind, time, ...where, subject: listener.key, subjectText, message, evidence };
  }
}

function withLeft({ change, from }: PendingHandOver, left: Left | undefined): Change {
  if (left === undefined) return change;
  const text = leftText(left, ownersText(from));
  const evidence = { metric: 'connections_left', value: left.count, unit: 'connections', text };
  return { ...change, message: `${change.message}; ${text}`, evidence: [evidence] };
}
