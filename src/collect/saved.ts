import { createReadStream } from 'node:fs';
import { ParseError, SockwatchError } from '../model/errors.js';
import type { Scope, TableObservation } from '../model/observation.js';
import type { SocketState } from '../model/sockets.js';
import type { SocketTable } from '../model/table.js';
import { millis, monotonicMillis, wallMillis } from '../model/units.js';
import { SsParser } from '../parse/ss/index.js';
import { monotonicNow } from './origin.js';

const EMPTY = 'the input is empty: no socket, or ss did not run';
const EXPECTED = 'what ss printed, as from "ss -tunap > FILE"';

/**
 * Reads saved output of ss, of any host; `-` is stdin. Host and namespace are not known, the time is that of reading.
 * Throws `SockwatchError` where the file cannot be read or holds something else.
 */
export async function readSaved(path: string): Promise<TableObservation> {
  const started = performance.now();
  const parser = new SsParser();
  const name = path === '-' ? 'stdin' : path;
  try {
    const stream = path === '-' ? process.stdin : createReadStream(path);
    let bytes = 0;
    for await (const chunk of stream) {
      bytes += (chunk as Uint8Array).length;
      parser.write(chunk as Uint8Array);
    }
    const { sockets, gaps } = parser.end();
    return {
      kind: 'table',
      origin: {
        time: wallMillis(Date.now()),
        monotonic: monotonicMillis(monotonicNow()),
        host: 'unknown',
        source: 'file',
      },
      scope: scopeOf(sockets),
      sockets,
      tookMs: millis(performance.now() - started),
      skippedTicks: 0,
      gaps: bytes === 0 ? [{ what: 'ss', why: EMPTY }, ...gaps] : gaps,
    };
  } catch (error) {
    throw savedError(name, error);
  }
}

/** What was asked for is not in the output: a list of nothing but listeners cannot tell who waits. */
function scopeOf(table: SocketTable): Scope {
  const row = table.cursor();
  for (row.index = 0; row.index < table.length; row.index++) {
    if (row.protocol !== 'unix' && !NOT_CONNECTED.has(row.state)) return 'all';
  }
  return 'listeners';
}

const NOT_CONNECTED: ReadonlySet<SocketState> = new Set(['listen', 'syn-recv', 'unconnected']);

function savedError(name: string, error: unknown): SockwatchError {
  if (error instanceof ParseError) {
    return new SockwatchError(`${name}: ${error.message}`, `give it ${EXPECTED}`, { cause: error });
  }
  const code = (error as NodeJS.ErrnoException).code;
  const why = code === undefined ? String(error) : (REASONS[code] ?? code);
  return new SockwatchError(`${name} could not be read: ${why}`, 'check the path and its permissions', {
    cause: error,
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};
