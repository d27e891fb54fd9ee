import { AT, hexOf, isBlank, isDigit, isUtf8, OPEN, SLASH, STAR } from '../bytes.js';
import { columnIndex } from '../column-writer.js';
import type { Facts } from './facts.js';
import type { Scanner } from './scanner.js';

const INODE = columnIndex('inode');
const PEER_INODE = columnIndex('peerInode');
/** sun_path holds 108 bytes: no path is longer, however many newlines it has. */
const PATH_LIMIT = 108;
const USERS = 'users:((';

/** The parts of `PATH INODE PEER PEERINODE`, as offsets. */
export class UnixReader {
  pathStart = 0;
  pathEnd = 0;
  inode = 0;
  peerStart = 0;
  peerEnd = 0;
  peerInode = 0;

  /**
   * Reads the two ends of a Unix socket at `line.pos`. Paths are not escaped: they may hold blanks, newlines and
   * what looks like the rest of a row, so the last place before the owners that can be the end of the path is it.
   */
  read(line: Scanner, isRow: (start: number, stop: number) => boolean): 'yes' | 'no' | 'wait' {
    line.skipBlanks();
    this.pathStart = line.pos;
    const { lines, stop } = line;
    for (;;) {
      if (this.findEnds(line)) return 'yes';
      const extended = this.extend(line, isRow);
      if (extended === 'wait') return 'wait';
      if (extended === 'no') break;
    }
    line.shrink(lines, stop);
    return 'no';
  }

  store(line: Scanner, facts: Facts): void {
    const { table, row } = facts;
    const { bytes } = line;
    if (!isStar(bytes, this.pathStart, this.pathEnd)) {
      table.localName[row] = table.intern(line.text(this.pathStart, this.pathEnd));
      if (!isUtf8(bytes, this.pathStart, this.pathEnd))
        table.setNote(row, 'localHex', hexOf(bytes, this.pathStart, this.pathEnd));
    }
    facts.put(INODE, this.inode);
    if (!isStar(bytes, this.peerStart, this.peerEnd))
      table.remoteName[row] = table.intern(line.text(this.peerStart, this.peerEnd));
    else if (this.peerInode === 0) table.setFlag(row, 'remoteAny');
    if (this.peerInode !== 0) facts.put(PEER_INODE, this.peerInode);
  }

  private extend(line: Scanner, isRow: (start: number, stop: number) => boolean): 'yes' | 'no' | 'wait' {
    if (line.end - this.pathStart > PATH_LIMIT) return 'no';
    const next = line.nextStop();
    if (next === undefined) return 'wait';
    return next < 0 || isRow(line.stop + 1, next) ? 'no' : line.extend();
  }

  private findEnds(line: Scanner): boolean {
    const { bytes, end } = line;
    const owners = findOwners(bytes, this.pathStart, end);
    let found = -1;
    for (let at = this.pathStart + 1; at < owners; at++) {
      if (!isBlank(bytes[at - 1]) || !isDigit(bytes[at])) continue;
      const after = this.readEnds(line, at);
      if (after >= 0) found = at;
    }
    if (found < 0) return false;
    line.pos = this.readEnds(line, found);
    this.pathEnd = found;
    while (this.pathEnd > this.pathStart && isBlank(bytes[this.pathEnd - 1])) this.pathEnd--;
    return this.pathEnd > this.pathStart;
  }

  /** `INODE PEER PEERINODE` at `at`: the offset behind it, or -1. A peer is `*`, or a path where ss has read /proc. */
  private readEnds(line: Scanner, at: number): number {
    const { bytes } = line;
    line.pos = at;
    this.inode = line.integer();
    if (!isBlank(bytes[line.pos])) return -1;
    line.skipBlanks();
    this.peerStart = line.pos;
    const first = bytes[this.peerStart];
    if (first !== STAR && first !== SLASH && first !== AT) return -1;
    line.word();
    this.peerEnd = line.pos;
    line.skipBlanks();
    this.peerInode = line.integer();
    const ends = line.pos >= line.end || isBlank(bytes[line.pos]);
    return Number.isNaN(this.peerInode) || !ends ? -1 : line.pos;
  }
}

const isStar = (bytes: Uint8Array, start: number, end: number): boolean =>
  end - start === 1 && bytes[start] === STAR;

/** Where the list of owners begins, or the end of the line. */
function findOwners(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++)
    if (bytes[at] === OPEN && at + 2 - USERS.length > start && matches(bytes, at + 2 - USERS.length))
      return at + 2 - USERS.length;
  return end;
}

function matches(bytes: Uint8Array, from: number): boolean {
  for (let index = 0; index < USERS.length; index++)
    if (bytes[from + index] !== USERS.charCodeAt(index)) return false;
  return true;
}
