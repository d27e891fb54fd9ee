import { isStaleRow } from '../../model/table.js';
import type { TrafficShape } from '../../model/traffic.js';
import type { Look } from './look.js';
import { movedReader } from './traffic.js';

/** Follows what data do on the connections of one look. */
export class LookTraffic {
  private readonly movedOf;

  constructor(private readonly look: Look) {
    this.movedOf = movedReader(look.table);
  }

  /** What an established connection looks like by now; nobody works on what was not accepted. */
  follow(row: number, entry: number, known: number, outbound: boolean): TrafficShape {
    const { now, before, at, columns } = this.look;
    if (!outbound && columns.inode?.[row] === 0) return 'unknown';
    const isStale = isStaleRow(this.look.table, row);
    now.traffic.follow(entry, before.traffic, known, { at, outbound, isStale }, this.movedOf(row));
    return now.traffic.shapeOf(entry, at);
  }
}
