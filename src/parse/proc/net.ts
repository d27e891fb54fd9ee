import { ParseError } from '../../model/errors.js';
import { SocketTable } from '../../model/table.js';
import { NEWLINE, plainBytes, textOf } from '../bytes.js';
import { GapList } from '../gaps.js';
import type { SsResult } from '../ss/index.js';
import { readInetRow } from './inet.js';
import type { ProcFile, ProcLine } from './line.js';
import { appendToPath, readUnixRow } from './unix.js';

const ORDER: readonly ProcFile[] = ['tcp', 'tcp6', 'udp', 'udp6', 'unix'];

/**
 * Reads files of /proc/net into one table. What they do not hold stays unknown: limits of listeners (flag
 * `limitUnknown`), drops of TCP, queues of Unix sockets, whether an IPv6 wildcard is dual stack.
 * Throws ParseError where a file has text but neither its header nor a socket.
 */
export function parseProcNet(
  files: Partial<Record<ProcFile, Uint8Array>>,
  options: {
    /** The machine that printed them stores the high byte first (s390x). */ bigEndian?: boolean;
  } = {},
): SsResult {
  const table = new SocketTable();
  const gaps: SsResult['gaps'][number][] = [];
  for (const file of ORDER) {
    const bytes = files[file];
    if (bytes === undefined) continue;
    const list = new GapList(`/proc/net/${file}`);
    readFile(table, list, plainBytes(bytes), file, options.bigEndian ?? false);
    gaps.push(...list.list());
  }
  return { sockets: table, gaps };
}

function readFile(
  table: SocketTable,
  gaps: GapList,
  bytes: Uint8Array,
  file: ProcFile,
  bigEndian: boolean,
): void {
  let seen = false;
  let stranger: string | undefined;
  let number = 0;
  for (let start = 0, end = 0; start < bytes.length; start = end + 1) {
    const found = bytes.indexOf(NEWLINE, start);
    end = found < 0 ? bytes.length : found;
    number++;
    const line = { bytes, start, end, file, bigEndian };
    const kind = readLine(table, line);
    if (kind === 'unknown') {
      const text = textOf(bytes, start, Math.min(end, start + 200));
      stranger ??= text;
      gaps.atLine(number, `a socket of /proc/net/${file}`, text);
    } else seen ||= kind !== 'blank';
  }
  if (!seen && stranger !== undefined)
    throw new ParseError(`/proc/net/${file}`, 'a header or a socket of the kernel', stranger);
}

function readLine(table: SocketTable, line: ProcLine): 'row' | 'header' | 'blank' | 'unknown' {
  const isRow = line.file === 'unix' ? readUnixRow(table, line) : readInetRow(table, line);
  if (isRow) return 'row';
  const text = textOf(line.bytes, line.start, Math.min(line.end, line.start + 120)).trim();
  if (/^(sl|Num)\s/.test(text)) return 'header';
  if (line.file === 'unix' && appendToPath(table, line)) return 'row';
  return text === '' ? 'blank' : 'unknown';
}
