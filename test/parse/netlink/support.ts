import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { DumpName } from '../../../src/parse/netlink/index.js';
import { fixtureDir } from '../golden.js';
import type { ReadableRow } from '../readable.js';

export const recorded = (name: DumpName): Uint8Array =>
  new Uint8Array(readFileSync(`${fixtureDir}netlink/linux-6.18-${name}.bin`));

/** Offset and size of each message of a recorded answer. */
export function messagesOf(bytes: Uint8Array): { at: number; size: number }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const messages = [];
  for (let at = 0; at < bytes.length; ) {
    const size = view.getUint32(at, true);
    messages.push({ at, size });
    at += (size + 3) & ~3;
  }
  return messages;
}

/** The same bytes with up to 8 of them changed. */
export const withBytesChanged = (bytes: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc
    .array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 8,
    })
    .map((changes) => {
      const copy = bytes.slice();
      for (const [at, value] of changes) copy[at] = value;
      return copy;
    });

/** The same bytes with up to 4 words changed to sizes that lie. */
export function withSizesChanged(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const size = fc.oneof(fc.constantFrom(0, 1, 3, 4, 15, 16, 0xffff, 0x7fffffff, 0xffffffff), fc.nat(600));
  const change = fc.tuple(fc.nat(bytes.length / 4 - 1), size);
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    const copy = bytes.slice();
    for (const [word, value] of changes) new DataView(copy.buffer).setUint32(word * 4, value, true);
    return copy;
  });
}

/** Numbers that go on while the sockets stand still: how far they may be apart where the looks were at most a second apart. */
const MOVING: Readonly<Record<string, number>> = {
  lastSentMs: 3000,
  lastReceivedMs: 3000,
  lastAckMs: 3000,
  busyMs: 3000,
  receiverLimitedMs: 3000,
  bufferLimitedMs: 3000,
};
/** Timers run, and fire: then the next one is longer. ss also rounds to seconds, and from ten minutes on to minutes. */
const TIMER_MS = 5000;
const LONG_TIMER_MS = 60_000 + TIMER_MS;
/** What ss cannot say: it prints the name of a device and the path of a cgroup only, and of a Unix socket no cookie. */
const NOT_IN_SS = ['interface', 'cgroupId'];

/** Rows of one source by what identifies a socket in both. */
export function byIdentity(rows: readonly ReadableRow[]): Map<string, ReadableRow> {
  return new Map(rows.map((row) => [identity(row), row]));
}

const isUnix = (row: ReadableRow) => String(row.protocol).startsWith('unix');
const identity = (row: ReadableRow): string =>
  `${row.protocol} ${isUnix(row) ? row.inode : row.cookie} ${row.local} ${row.remote}`;

/** In how far two views of one socket differ, beyond what moves by itself: empty where they do not. */
export function differences(fromSs: ReadableRow, fromNetlink: ReadableRow): string[] {
  const names = new Set([...Object.keys(fromSs), ...Object.keys(fromNetlink)]);
  return [...names]
    .filter((name) => !NOT_IN_SS.includes(name) && !(name === 'cookie' && isUnix(fromSs)))
    .filter((name) => !isSame(name, fromSs[name], fromNetlink[name], fromSs))
    .map((name) => `${identity(fromSs)} ${name}: ss ${fromSs[name]}, netlink ${fromNetlink[name]}`);
}

function isSame(name: string, ss: unknown, netlink: unknown, row: ReadableRow): boolean {
  if (ss === netlink) return true;
  if (WINDOWS.includes(name) && RETRANSMITTING.test(String(row.timer))) return true;
  if (name === 'timer') return sameTimer(String(ss), String(netlink));
  if (MOVES_WITH_TIMERS.includes(name)) return true;
  const one = Number(ss);
  const other = Number(netlink);
  // ss prints six digits of what is no whole number.
  return Math.abs(one - other) <= Math.max(MOVING[name] ?? 0, Math.abs(one) * 1e-5);
}

/** What a retransmission takes back, where one may fall between the looks. */
const WINDOWS = ['congestionWindow', 'slowStartThreshold', 'sendRateBps'];
const RETRANSMITTING = /^on /;

/** A retransmission or a probe of a peer that does not answer may fall between the looks. */
const MOVES_WITH_TIMERS = ['backoff', 'rtoMs', 'retransmitsNow', 'retransmitsTotal', 'lost', 'segmentsOut'];

function sameTimer(one: string, other: string): boolean {
  const read = (text: string) => /^(\w+) (\d+) ms, (\d+)$/.exec(text)?.slice(1) ?? [];
  const [kind, ms, again] = read(one);
  const [otherKind, otherMs, otherAgain] = read(other);
  if (kind === undefined || kind !== otherKind) return false;
  const allowed = Number(ms) > 540_000 ? LONG_TIMER_MS : TIMER_MS;
  return (
    Math.abs(Number(ms) - Number(otherMs)) <= allowed && Math.abs(Number(again) - Number(otherAgain)) <= 1
  );
}
