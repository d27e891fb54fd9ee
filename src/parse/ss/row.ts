import { COLON, hashStep, isBlank, isDigit } from '../bytes.js';
import { readDetails } from './details.js';
import { type Facts, LEFT_OUT } from './facts.js';
import { IpEnds } from './ip-ends.js';
import type { Scanner } from './scanner.js';
import { UnixReader } from './unix.js';
import { NETIDS, OTHER_NETIDS, protocolIndex, STATES, stateIndex } from './words.js';

const UNIX = protocolIndex('unix');
const UDP = protocolIndex('udp');
const RAW = protocolIndex('raw');
const ESTABLISHED = stateIndex('established');
const UNCONNECTED = stateIndex('unconnected');
const LISTEN = stateIndex('listen');
const UNKNOWN = stateIndex('unknown');
const NO_STATE = -1;
const MAX_QUEUE = 0xffffffff;
/** As much of a line as a gap shows. */
const GAP_TEXT = 100;

/** What became of a line: a socket, a line still incomplete, or no row at all. */
export type RowOutcome = 'row' | 'wait' | 'other';

/** Reads the main line of a socket: `[Netid] [State] [Recv-Q Send-Q] local remote details`. */
export class RowReader {
  private readonly ends = new IpEnds();
  private readonly unix = new UnixReader();
  private protocol = 0;
  private unixKind = 0;
  private state = NO_STATE;
  private hasQueues = false;
  private recvQueue = 0;
  private sendQueue = 0;
  private readonly defaultProtocol: number;

  constructor(
    private readonly line: Scanner,
    private readonly facts: Facts,
  ) {
    this.defaultProtocol = protocolIndex(facts.options.protocol ?? 'tcp');
  }

  read(): RowOutcome {
    const begins = this.readColumns();
    if (begins === 'other') return 'other';
    if (begins === 'left out') return 'row';
    return this.protocol === UNIX ? this.readUnix() : this.readIp();
  }

  /** Whether a line begins as a row does, without reading it. */
  readonly isRow = (start: number, stop: number): boolean => {
    const { bytes } = this.line;
    let hash = 0;
    for (let at = start; at < stop && !isBlank(bytes[at]); at++) hash = hashStep(hash, bytes[at] as number);
    return NETIDS.has(hash) || STATES.has(hash) || OTHER_NETIDS.has(hash);
  };

  private readColumns(): 'row' | 'other' | 'left out' {
    const { line } = this;
    if (!line.word()) return 'other';
    const netid = NETIDS.get(line.hash);
    const kind = netid === undefined ? this.otherKind() : undefined;
    if (kind !== undefined) return this.leaveOut(kind);
    this.protocol = netid?.protocol ?? this.defaultProtocol;
    this.unixKind = netid?.unixKind ?? 0;
    if (netid !== undefined && !line.word()) return 'other';
    const state = STATES.get(line.hash);
    this.state = state ?? NO_STATE;
    if (state === undefined) line.pos = line.wordStart;
    if (state === undefined && netid === undefined && !isDigit(line.bytes[line.pos])) return 'other';
    if (netid !== undefined) this.facts.evidence.netid = true;
    this.readQueues();
    return this.hasQueues || state !== undefined || netid !== undefined ? 'row' : 'other';
  }

  /** The Netid of a kind that is left out; the line stays at its first word. */
  private otherKind(): string | undefined {
    const { line } = this;
    const { wordStart, wordEnd, hash, bytes } = line;
    const first = bytes[wordStart] as number;
    if (first < 97 || first > 122 || bytes[wordEnd - 1] === COLON) return undefined;
    const known = OTHER_NETIDS.get(hash);
    const isKind =
      line.word() && (STATES.has(line.hash) || (known !== undefined && isDigit(bytes[line.wordStart])));
    line.wordStart = wordStart;
    line.wordEnd = line.pos = wordEnd;
    line.hash = hash;
    return isKind ? (known ?? line.wordText) : undefined;
  }

  private leaveOut(kind: string): 'left out' {
    this.facts.evidence.netid = true;
    this.facts.leaveOut(kind);
    return 'left out';
  }

  /** Two numbers; without them ss ran with -Q. */
  private readQueues(): void {
    const from = this.line.pos;
    this.recvQueue = this.readQueue();
    this.sendQueue = this.readQueue();
    this.hasQueues = this.recvQueue <= MAX_QUEUE && this.sendQueue <= MAX_QUEUE;
    if (!this.hasQueues) this.line.pos = from;
  }

  private readQueue(): number {
    const { line } = this;
    line.skipBlanks();
    const value = line.integer();
    return line.pos < line.end && isBlank(line.bytes[line.pos]) ? value : Number.NaN;
  }

  private readIp(): RowOutcome {
    const { line } = this;
    const broken = this.ends.read(line);
    if (broken !== undefined) {
      line.pos = this.ends.readFrom;
      line.word();
      return this.fail(`a ${broken} address and port`, line.wordStart, line.wordEnd);
    }
    this.append();
    this.ends.store(line, this.facts);
    return this.finish();
  }

  private readUnix(): RowOutcome {
    const ends = this.unix.read(this.line, this.isRow);
    if (ends === 'wait') return 'wait';
    if (ends === 'no')
      return this.fail('a path, an inode, a peer and its inode', this.unix.pathStart, this.line.end);
    if (this.facts.isOwn(this.unix.inode, this.unix.peerInode)) {
      this.facts.row = LEFT_OUT;
      return 'row';
    }
    this.append();
    this.facts.table.unixKind[this.facts.row] = this.unixKind;
    this.unix.store(this.line, this.facts);
    return this.finish();
  }

  private fail(expected: string, start: number, end: number): RowOutcome {
    const { line, facts } = this;
    if (this.state === NO_STATE && !this.hasQueues) return 'other';
    facts.gap(expected, line.text(start, Math.min(end, start + GAP_TEXT)));
    facts.row = LEFT_OUT;
    facts.evidence.rowLike = true;
    return 'row';
  }

  private append(): void {
    const { table } = this.facts;
    const row = table.append();
    this.facts.row = row;
    this.facts.arrowSought = false;
    table.protocol[row] = this.protocol;
    if (!this.hasQueues) return;
    table.recvQueue[row] = this.recvQueue;
    table.sendQueue[row] = this.sendQueue;
    table.setFlag(row, 'queues');
  }

  private finish(): RowOutcome {
    const { facts, line } = this;
    facts.table.state[facts.row] = this.state === NO_STATE ? this.impliedState() : this.state;
    if (readDetails(line, facts)) return 'row';
    if (facts.starHosts.at(-1) === facts.row) facts.starHosts.pop();
    facts.table.dropLast();
    return 'wait';
  }

  /** Without a State column all rows have the one state that was asked for; only the peer tells which. */
  private impliedState(): number {
    const { table, row } = this.facts;
    const hasPeer = !table.hasFlag(row, 'remoteAny');
    if (this.protocol === UDP || this.protocol === RAW) return hasPeer ? ESTABLISHED : UNCONNECTED;
    if (this.protocol === UNIX) return !hasPeer && this.sendQueue > 0 ? LISTEN : UNKNOWN;
    return hasPeer ? UNKNOWN : LISTEN;
  }
}
