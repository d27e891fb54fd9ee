import { ESTABLISHED } from '../../analyze/codes.js';
import { MARKS } from './connection-list.js';
import type { Look } from './look.js';
import type { PoolTally } from './pool-tally.js';
import { sentAfterReceipt, USE, type Use, useByChange, useReader } from './use.js';

/** Tells of each connection of a look whether it is in use, by this look and by what the one before knew. */
export class LookUse {
  private readonly useOf;

  constructor(private readonly look: Look) {
    this.useOf = useReader(look.table);
  }

  tally(row: number, entry: number, known: number, outbound: boolean, tally: PoolTally): void {
    const { now } = this.look;
    const { segmentsOut, segmentsIn, allSegmentsOut, retransmits } = this.look.columns;
    // Nobody works on what was not accepted.
    if (!outbound && this.look.columns.inode?.[row] === 0) return;
    const out = (segmentsOut?.[row] || 0) - (retransmits?.[row] || 0);
    const more = out - (segmentsIn?.[row] || 0);
    now.received[entry] = segmentsIn?.[row] || 0;
    now.plainAcks[entry] = (allSegmentsOut?.[row] || 0) - (segmentsOut?.[row] || 0);
    const balance = outbound ? more : -more;
    now.balance[entry] = balance;
    let use = this.useOf(row, outbound);
    if (use === USE.unsure && this.hasSentLast(row, entry, known)) use = outbound ? USE.busy : USE.idle;
    if (segmentsOut !== undefined && segmentsIn !== undefined) {
      tally.levels.learn(use, balance);
      if (use === USE.unsure) use = this.tellUse(known, balance, tally);
    }
    tally.addUse(use, ((now.marks[entry] ?? 0) & MARKS.moved) !== 0);
    if (!outbound && this.look.columns.inode?.[row] !== 0)
      tally.serving.add((this.look.table.recvQueue[row] ?? 0) > 0, use === USE.busy);
    if (use === USE.busy) now.marks[entry] = (now.marks[entry] ?? 0) | MARKS.busy;
    if (use === USE.idle) now.marks[entry] = (now.marks[entry] ?? 0) | MARKS.idle;
  }

  private hasSentLast(row: number, entry: number, known: number): boolean {
    const { now, before } = this.look;
    if (known < 0 || before.state[known] !== ESTABLISHED || this.look.columns.allSegmentsOut === undefined)
      return false;
    return sentAfterReceipt(
      (now.plainAcks[entry] ?? 0) - (before.plainAcks[known] ?? 0),
      (now.received[entry] ?? 0) - (before.received[known] ?? 0),
      this.look.columns.received?.[row] ?? 0,
    );
  }

  private tellUse(known: number, balance: number, tally: PoolTally): Use {
    const { before } = this.look;
    const marks = known < 0 ? 0 : (before.marks[known] ?? 0);
    const change = balance - (before.balance[known] ?? 0);
    const use = useByChange((marks & MARKS.busy) !== 0, (marks & MARKS.idle) !== 0, change);
    return use === USE.unsure ? tally.levels.tell(balance) : use;
  }
}
