import type { DnsFacts } from '../../model/trace-app.js';
import type { Moment } from '../../model/trace-moment.js';
import type { AddressBook } from '../decode/address-book.js';

const MOST_KEPT = 20_000;
const MOST_ANSWERS = 64;
/** Answers that are kept of one client for one address: a connection that ends asks for the one before its beginning. */
const MOST_LOOKUPS = 8;
const MOST_LABELS = 64;
const A = 1;
const AAAA = 28;

/** DNS answers (RFC 1035): which name gave a client an address. Bounded; of several lookups the latest before a connection counts. */
export class DnsBook {
  private readonly queries = new Map<string, Moment>();
  /** By client and address, in the order of time. */
  private readonly answers = new Map<string, DnsFacts[]>();

  constructor(private readonly addresses: AddressBook) {}

  /** A message of port 53. `client`: who asks, as the decoder names addresses. */
  message(view: DataView, from: number, to: number, family: number, client: number, at: Moment): void {
    if (to - from < 12) return;
    const id = view.getUint16(from);
    const isAnswer = (view.getUint16(from + 2) & 0x8000) !== 0;
    if (view.getUint16(from + 4) !== 1) return;
    const question = readName(view, from, from + 12, to);
    if (question === undefined) return;
    const key = `${family} ${client} ${id} ${question.name}`;
    if (!isAnswer) {
      keep(this.queries, key, at);
      return;
    }
    const query = this.queries.get(key);
    this.queries.delete(key);
    const facts: DnsFacts = { name: question.name, ...(query && { query }), answer: at };
    this.records(view, from, question.next + 4, to, (answerFamily, address) => {
      this.remember(`${family} ${client} ${answerFamily} ${address}`, facts);
    });
  }

  /** Of too many the oldest goes; of the same name the first stays, for connections that last. */
  private remember(key: string, facts: DnsFacts): void {
    const lookups = this.answers.get(key) ?? [];
    // One answer may name an address twice.
    if (lookups.at(-1) !== facts) lookups.push(facts);
    if (lookups.length > MOST_LOOKUPS) lookups.splice(lookups[0]?.name === lookups[1]?.name ? 1 : 0, 1);
    keep(this.answers, key, lookups);
  }

  private records(
    view: DataView,
    start: number,
    first: number,
    to: number,
    take: (family: 4 | 6, address: number) => void,
  ): void {
    const count = Math.min(view.getUint16(start + 6), MOST_ANSWERS);
    let at = first;
    for (let index = 0; index < count; index++) {
      const name = readName(view, start, at, to);
      if (name === undefined || to - name.next < 10) return;
      const type = view.getUint16(name.next);
      const length = view.getUint16(name.next + 8);
      const data = name.next + 10;
      if (to - data < length) return;
      if (type === A && length === 4) take(4, view.getInt32(data));
      if (type === AAAA && length === 16) take(6, this.addresses.idOf(view, data));
      at = data + length;
    }
  }

  /** The latest lookup before `time` that gave this client this server's address, over IPv4 or IPv6. */
  find(family: 4 | 6, client: number, server: number, time: number): DnsFacts | undefined {
    // Most captures have no DNS at all.
    if (this.answers.size === 0) return undefined;
    const lookups = ([family, family === 4 ? 6 : 4] as const).flatMap(
      (via) => this.answers.get(`${via} ${client} ${family} ${server}`) ?? [],
    );
    let latest: DnsFacts | undefined;
    for (const facts of lookups) {
      const isBefore = facts.answer.time <= time;
      if (isBefore && (latest === undefined || facts.answer.time >= latest.answer.time)) latest = facts;
    }
    return latest;
  }
}

function keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MOST_KEPT) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

/** A name in labels, with pointers that only go backwards (RFC 1035 section 4.1.4). */
function readName(
  view: DataView,
  start: number,
  from: number,
  to: number,
): { name: string; next: number } | undefined {
  const labels: string[] = [];
  let at = from;
  let next = 0;
  let limit = to;
  for (let count = 0; count < MOST_LABELS && at < to; count++) {
    const length = view.getUint8(at);
    if (length === 0) return { name: labels.join('.'), next: next || at + 1 };
    if (length >= 0xc0) {
      if (to - at < 2) return undefined;
      const target = start + (view.getUint16(at) & 0x3fff);
      next ||= at + 2;
      if (target >= at || target >= limit) return undefined;
      limit = target;
      at = target;
    } else {
      if (length > 63 || to - at - 1 < length) return undefined;
      labels.push(text(view, at + 1, length));
      at += 1 + length;
    }
  }
  return undefined;
}

const decoder = new TextDecoder('latin1');
const text = (view: DataView, at: number, length: number): string =>
  decoder.decode(new Uint8Array(view.buffer, view.byteOffset + at, length));
