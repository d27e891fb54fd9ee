import { FlowTable } from './flow-table.js';
import { type Flows, INT } from './flows.js';
import { MARK } from './marks.js';

const MOST_TUPLES = 100_000;

interface Tuple {
  /** Path of the first connection with these addresses and ports, and its first frame. */
  readonly path: number;
  readonly frame: number;
  /** Another path has them, too. */
  isMixed: boolean;
}

/**
 * The same addresses and ports on several VLANs or tunnels, or on one and without: tools that do not look at those mix them. Only
 * connections that came through one are kept; those without are looked up among what is open.
 */
export class Collisions {
  private readonly tuples = new Map<string, Tuple>();

  /** @param note hears the first frame of each connection that collides, once */
  constructor(
    private readonly flows: Flows,
    private readonly table: FlowTable,
    private readonly note: (frame: number) => void,
  ) {}

  opened(slot: number): void {
    const { flows, tuples } = this;
    const path = flows.int(slot, INT.kind) >>> 2;
    if (path === 0 && tuples.size === 0) return;
    const key = [INT.low, INT.high, INT.ports].map((field) => flows.int(slot, field)).join(' ');
    const tuple = `${key} ${familyOf(flows, slot)}`;
    let seen = tuples.get(tuple);
    if (seen === undefined) {
      if (path === 0 || tuples.size >= MOST_TUPLES) return;
      seen = this.untagged(slot) ?? { path, frame: flows.frameOf(slot, FIRST), isMixed: false };
      tuples.set(tuple, seen);
    }
    if (seen.path === path && !seen.isMixed) return;
    if (!seen.isMixed) this.note(seen.frame);
    seen.isMixed = true;
    this.note(flows.frameOf(slot, FIRST));
  }

  /** The open connection with the same addresses and ports that came without VLAN and tunnel. */
  private untagged(slot: number): Tuple | undefined {
    const { flows } = this;
    const [low, high, ports] = [
      flows.int(slot, INT.low),
      flows.int(slot, INT.high),
      flows.int(slot, INT.ports),
    ];
    const kind = familyOf(flows, slot);
    const other = this.table.find(FlowTable.hash(low, high, ports, kind), low, high, ports, kind);
    return other < 0 ? undefined : { path: 0, frame: flows.frameOf(other, FIRST), isMixed: false };
  }
}

const FIRST = MARK.first ?? 0;

/** INT.kind without its path. */
const familyOf = (flows: Flows, slot: number): number => flows.int(slot, INT.kind) & 3;
