import { LITTLE_ENDIAN } from './words.js';

/** Codes of struct inet_diag_bc_op: jump, source port at least and at most, destination port at most. */
const JUMP = 1;
const SOURCE_AT_LEAST = 2;
const SOURCE_AT_MOST = 3;
const DESTINATION_AT_MOST = 5;
const OP_BYTES = 4;
/** A comparison is two ops: the second holds the port. */
const COMPARE_BYTES = 2 * OP_BYTES;
const PORT_BYTES = 2 * COMPARE_BYTES + OP_BYTES;

/**
 * The filter `sport = P or ... or dport = 0`, which the kernel runs for each socket (net/ipv4/inet_diag.c, inet_diag_bc_run):
 * an op goes `yes` bytes on where it is true, else `no`; exactly to the end is taken, 4 bytes behind it is not.
 */
export function encodePortFilter(ports: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(ports.length * PORT_BYTES + COMPARE_BYTES));
  const end = view.byteLength;
  for (const [index, port] of ports.entries()) {
    const at = index * PORT_BYTES;
    const next = at + PORT_BYTES;
    compare(view, at, SOURCE_AT_LEAST, port, next);
    compare(view, at + COMPARE_BYTES, SOURCE_AT_MOST, port, next);
    const jump = at + 2 * COMPARE_BYTES;
    op(view, jump, JUMP, OP_BYTES, end - jump);
  }
  compare(view, end - COMPARE_BYTES, DESTINATION_AT_MOST, 0, end + OP_BYTES);
  return new Uint8Array(view.buffer);
}

function compare(view: DataView, at: number, code: number, port: number, otherwise: number): void {
  op(view, at, code, COMPARE_BYTES, otherwise - at);
  op(view, at + OP_BYTES, 0, 0, port);
}

function op(view: DataView, at: number, code: number, yes: number, no: number): void {
  view.setUint8(at, code);
  view.setUint8(at + 1, yes);
  view.setUint16(at + 2, no, LITTLE_ENDIAN);
}
