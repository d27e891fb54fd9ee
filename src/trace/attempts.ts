import { FLOW, type Flows, INT, SIDE_INT } from './flows.js';
import { MARK, type MARKS } from './marks.js';

const M = MARK as Readonly<Record<(typeof MARKS)[number], number>>;
/** Nobody gives up sooner: attempts closer to each other than that are made side by side. */
const SIDE_BY_SIDE_NS = 50e6;
/** Attempts of one client at one server that wait for an answer; of more, the oldest are not looked at. */
const MOST_WAITING = 64;
const MOST_PAIRS = 10_000;
/** Where many connections are opened not each one looks at all before it: most are answered and gone by the next look. */
const FEW_ENTRIES = 8;
const BETWEEN_LOOKS_NS = 10e6;

interface Waiting {
  /** Slots and ids in turn: a slot may have been taken again. */
  readonly list: number[];
  /** When it was last looked through, ns. */
  seen: number;
  /** The client has had several under way at once: an attempt that begins then puts an end to none. */
  isSideBySide: boolean;
}

/**
 * Attempts to connect that nobody has answered, by pair of client and server. No packet tells when a client gives one up: the attempt
 * that it makes instead does.
 */
export class Attempts {
  private readonly waiting = new Map<number, Waiting>();

  constructor(private readonly flows: Flows) {}

  /** A SYN opens a connection of this pair. Gives how many earlier attempts it puts an end to. */
  opened(slot: number, pair: number): number {
    const { flows, waiting } = this;
    const found = waiting.get(pair);
    const id = flows.int(slot, INT.id);
    const time = flows.timeOf(slot, M.first);
    if (found === undefined) {
      if (waiting.size < MOST_PAIRS) waiting.set(pair, { list: [slot, id], seen: time, isSideBySide: false });
      return 0;
    }
    const { list } = found;
    let ended = 0;
    if (list.length <= FEW_ENTRIES || time - found.seen >= BETWEEN_LOOKS_NS) {
      found.seen = time;
      ended = this.supersede(list, slot);
      if (list.length > 0) found.isSideBySide = true;
    }
    append(list, slot, id);
    return ended;
  }

  /** One that was taken for given up has sent its SYN again, or is answered. */
  resumed(slot: number, pair: number): void {
    const { flows } = this;
    flows.clear(slot, FLOW.superseded);
    flows.mark(slot, M.successor, 0, 0);
    const found = this.waiting.get(pair);
    if (found === undefined) return;
    found.isSideBySide = true;
    append(found.list, slot, flows.int(slot, INT.id));
  }

  /** Whether the attempts of this pair were made one after another, so that the next one bounds how long the client waited. */
  areInTurn(pair: number): boolean {
    return this.waiting.get(pair)?.isSideBySide === false;
  }

  /** Keeps of the list what still waits beside the new attempt. */
  private supersede(list: number[], slot: number): number {
    const { flows } = this;
    const time = flows.timeOf(slot, M.first);
    let kept = 0;
    let ended = 0;
    for (let at = 0; at < list.length; at += 2) {
      const old = list[at] ?? 0;
      const id = list[at + 1] ?? 0;
      if (flows.int(old, INT.id) !== id || !isWaiting(flows, old)) continue;
      if (time - flows.timeOf(old, M.last) >= SIDE_BY_SIDE_NS) {
        flows.mark(old, M.successor, time, flows.frameOf(slot, M.first));
        flows.set(old, FLOW.superseded);
        ended++;
        continue;
      }
      list[kept++] = old;
      list[kept++] = id;
    }
    list.length = kept;
    return ended;
  }
}

function append(list: number[], slot: number, id: number): void {
  list.push(slot, id);
  if (list.length > MOST_WAITING * 2) list.splice(0, 2);
}

/** Its SYN has not been answered by anything. */
export const isWaiting = (flows: Flows, slot: number): boolean =>
  flows.side(slot, 1, SIDE_INT.segments) === 0 &&
  !flows.has(slot, FLOW.established | FLOW.closed | FLOW.leaving | FLOW.refusedByIcmp);
