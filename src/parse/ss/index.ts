import { ParseError } from '../../model/errors.js';
import type { Gap } from '../../model/observation.js';
import type { SocketTable } from '../../model/table.js';
import { isBlank, isDigit, NEWLINE, SPACE, textOf } from '../bytes.js';
import { readDetails } from './details.js';
import { Facts, LEFT_OUT, NO_ROW, type SsOptions } from './facts.js';
import { finish } from './finish.js';
import { kindOf, noteHeader } from './kinds.js';
import { LineBuffer, MAX_LINE, NO_MORE, NOT_YET, TOO_LONG } from './lines.js';
import { RowReader } from './row.js';
import { Scanner } from './scanner.js';

export type { SsOptions } from './facts.js';

export interface SsResult {
  readonly sockets: SocketTable;
  /** Lines that could not be read, with number and reason, and kinds of socket that were left out. */
  readonly gaps: readonly Gap[];
}

/**
 * Reads what ss prints, from iproute2 2.6.32 on, for any mix of its options, chunk by chunk: the result does not depend
 * on where the chunks end. Rows go straight into typed columns. Time is linear, memory is the table and one line.
 */
export class SsParser {
  private readonly lines = new LineBuffer();
  private readonly line = new Scanner(this.lines);
  private readonly facts: Facts;
  private readonly rows: RowReader;
  /** The first line that no ss prints: what the error shows where nothing else was found. */
  private stranger: string | undefined;
  private otherProgram = false;
  private result: SsResult | undefined;

  constructor(options: SsOptions = {}) {
    this.facts = new Facts(options);
    this.facts.line = 1;
    this.rows = new RowReader(this.line, this.facts);
  }

  write(chunk: Uint8Array): void {
    if (this.lines.add(chunk)) this.readLines();
    this.lines.settle();
  }

  /** The table and its gaps. Throws ParseError where the input has text but neither a header nor a socket of ss. */
  end(): SsResult {
    if (this.result !== undefined) return this.result;
    this.lines.finish();
    this.readLines();
    const { table, gaps, leftOut, evidence } = this.facts;
    const isSs = evidence.header || evidence.rowLike || table.length > 0 || leftOut.size > 0;
    if (!isSs && this.stranger !== undefined)
      throw new ParseError('ss output', 'a header or a socket as ss prints them', this.stranger);
    finish(this.facts);
    this.result = { sockets: table, gaps: gaps.list() };
    return this.result;
  }

  private readLines(): void {
    const { lines, line, facts } = this;
    while (lines.ready) {
      const stop = lines.endOf(lines.start);
      if (stop === NOT_YET || stop === NO_MORE) return;
      if (stop === TOO_LONG) {
        this.dropLine();
        continue;
      }
      line.open(lines.start, stop);
      const gaps = facts.gaps.count;
      if (!this.readLine()) {
        facts.gaps.backTo(gaps);
        return;
      }
      facts.line += line.lines;
      lines.pass(line.stop);
    }
  }

  private dropLine(): void {
    const { lines, facts } = this;
    const { bytes, start } = lines;
    facts.gap(`a line of at most ${MAX_LINE} bytes`, textOf(bytes, start, start + 60));
    if (!isBlank(bytes[start])) facts.row = LEFT_OUT;
    facts.line++;
    lines.drop();
  }

  /** False: the line goes on in one that has not come yet. */
  private readLine(): boolean {
    const { line } = this;
    if (this.facts.line === 1) line.skipMark();
    if (line.pos >= line.end) return true;
    const first = line.bytes[line.pos];
    if (isBlank(first)) return this.readIndented(first === SPACE);
    if (this.otherProgram && kindOf(line) !== 'header') return this.refuse();
    line.pos = line.start;
    const outcome = this.rows.read();
    return outcome === 'other' ? this.readOther() : outcome === 'row';
  }

  /** Details, or a row of a text that somebody has indented. */
  private readIndented(spaces: boolean): boolean {
    const { line } = this;
    line.skipBlanks();
    const from = line.pos;
    const mayBeRow = isDigit(line.bytes[from]) || this.rows.isRow(from, line.stop);
    if (!spaces || !mayBeRow) return this.readDetails();
    const outcome = this.rows.read();
    if (outcome !== 'other') return outcome === 'row';
    line.pos = from;
    return this.readDetails();
  }

  private readDetails(): boolean {
    const { line, facts } = this;
    if (facts.row >= 0) return readDetails(line, facts);
    if (facts.row === NO_ROW) this.refuse();
    return true;
  }

  private readOther(): boolean {
    const { line, facts } = this;
    const kind = kindOf(line);
    if (kind === 'header') {
      noteHeader(line, facts);
      facts.row = NO_ROW;
      this.otherProgram = false;
    } else if (kind === 'details') {
      line.pos = line.start;
      return this.readDetails();
    } else if (kind === 'complaint') this.stranger ??= line.text(line.start, line.end);
    else if (kind !== 'noise') {
      this.otherProgram ||= kind === 'other program';
      facts.row = LEFT_OUT;
      return this.refuse();
    }
    return true;
  }

  private refuse(): boolean {
    const { start, end } = this.line;
    const text = this.line.text(start, Math.min(end, start + 200));
    this.stranger ??= text;
    this.facts.gap('a socket of ss', text);
    return true;
  }
}

/** Reads a whole output of ss; throws ParseError where it is none. */
export function parseSs(bytes: Uint8Array, options: SsOptions = {}): SsResult {
  const parser = new SsParser({ expectedRows: estimateRows(bytes), ...options });
  parser.write(bytes);
  return parser.end();
}

const SAMPLE = 1 << 15;
/** Rows of a table that grows by itself in no time. */
const FEW_ROWS = 1000;

/** From the lines of the first 32 KiB that are not indented; a wrong guess costs only time or room. */
function estimateRows(bytes: Uint8Array): number {
  if (bytes.length <= SAMPLE) return 0;
  let rows = 0;
  for (let at = 0; at < SAMPLE; at++) if (bytes[at] === NEWLINE && !isBlank(bytes[at + 1])) rows++;
  const guess = Math.ceil((rows * bytes.length * 1.05) / SAMPLE);
  return guess > FEW_ROWS ? guess : 0;
}
