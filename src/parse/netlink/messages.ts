import { HEADER_BYTES } from './kernel.js';
import { aligned, type Wire } from './words.js';

export interface MessageReader {
  /** Reads the message in the bytes from `start` to `end`; true: nothing behind it matters. */
  readMessage(wire: Wire, start: number, end: number): boolean;
}

/** How the messages of a buffer ended: one of them was the last of all, the buffer was used up, or its rest holds no whole message. */
export type BufferEnd = 'last' | 'whole' | 'torn';

/** Hands the messages in the first `length` bytes of a buffer to a reader, one after the other. */
export function readMessages(wire: Wire, length: number, reader: MessageReader): BufferEnd {
  const { words } = wire;
  const end = Math.min(length, wire.bytes.length);
  let at = 0;
  while (end - at >= HEADER_BYTES) {
    const size = words[at >>> 2] as number;
    if (size < HEADER_BYTES || size > end - at) break;
    if (reader.readMessage(wire, at, at + size)) return 'last';
    at += aligned(size);
  }
  return at < end ? 'torn' : 'whole';
}

/** Whose answer a message is. */
export const sequenceOf = ({ words }: Wire, start: number): number => words[(start >>> 2) + 2] as number;
