import type { Writable } from 'node:stream';

/**
 * Writes piece after piece, each only when the one before is taken, so that a slow reader slows the maker and memory
 * stays flat. A reader that left (`| head`) is no fault: `closed`. Other errors of the stream are thrown.
 */
export async function writePieces(
  pieces: Iterable<string | Uint8Array> | AsyncIterable<string>,
  stream: Writable,
): Promise<'done' | 'closed'> {
  // Without a listener the same error would also end the process as an uncaught one.
  stream.on('error', ignore);
  try {
    for await (const piece of pieces) await writeOne(piece, stream);
    return 'done';
  } catch (error) {
    if (isClosed(error)) return 'closed';
    throw error;
  } finally {
    stream.off('error', ignore);
    if (stream.errored !== null) stream.on('error', ignore);
  }
}

const ignore = () => {};

function writeOne(piece: string | Uint8Array, stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}

const CLOSED = new Set(['EPIPE', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END', 'ECONNRESET']);

/** Whether an error says that nobody reads any more. */
export const isClosed = (error: unknown): boolean =>
  error instanceof Error && CLOSED.has((error as NodeJS.ErrnoException).code ?? '');

const PIECE_LENGTH = 1 << 16;

/** Joins small strings to pieces of about 64 kB: one write each, and never one giant string. Bytes are pieces already. */
export function* inPieces<Piece extends string | Uint8Array>(
  parts: Iterable<Piece>,
  length = PIECE_LENGTH,
): Generator<Piece | string> {
  let piece = '';
  for (const part of parts) {
    const isText = typeof part === 'string';
    if (isText) piece += part;
    if (piece.length >= length || (!isText && piece !== '')) {
      yield piece;
      piece = '';
    }
    if (!isText) yield part;
  }
  if (piece !== '') yield piece;
}
