import type { OptionalColumn } from '../../model/table.js';
import { hashText } from '../bytes.js';
import { columnIndex } from '../column-writer.js';

/** How the value of a tag is read. */
export const UNKNOWN_TAG = 0;
export const NUMBER = 1;
export const PAIR = 2;
export const RATE = 3;
export const USERS = 4;
export const TIMER = 5;
export const MEMORY = 6;
export const COOKIE = 7;
export const CGROUP = 8;
export const V6ONLY = 9;
export const APP_LIMITED = 10;
export const MPTCP_SUBFLOW = 11;
export const MPTCP_SOCKET = 12;
export const INODE = 13;
export const UNACKED = 14;
export const SILENT = 15;
export const CONGESTION = 16;
export const MARK = 17;
export const ULP = 18;
export const YOUNG = 19;

/** Tags of one number, `rto:204`: units as in the model; `minrtt` and `rtt` in ms. */
const NUMBERS: Readonly<Record<string, OptionalColumn>> = {
  uid: 'uid',
  rto: 'rtoMs',
  minrtt: 'minRttMs',
  lastsnd: 'lastSentMs',
  lastrcv: 'lastReceivedMs',
  lastack: 'lastAckMs',
  bytes_sent: 'bytesSent',
  bytes_acked: 'bytesAcked',
  bytes_received: 'bytesReceived',
  bytes_retrans: 'bytesRetransmitted',
  segs_out: 'segmentsOut',
  segs_in: 'segmentsIn',
  data_segs_out: 'dataSegmentsOut',
  data_segs_in: 'dataSegmentsIn',
  notsent: 'notSent',
  lost: 'lost',
  cwnd: 'congestionWindow',
  ssthresh: 'slowStartThreshold',
  mss: 'mss',
  pmtu: 'pathMtu',
  rcv_space: 'receiveSpace',
  busy: 'busyMs',
  snd_wnd: 'sendWindow',
  rwnd_limited: 'receiverLimitedMs',
  sndbuf_limited: 'bufferLimitedMs',
  backoff: 'backoff',
};

/** Tags of two numbers, `rtt:0.021/0.011`. */
const PAIRS: Readonly<Record<string, readonly [OptionalColumn, OptionalColumn]>> = {
  rtt: ['rttMs', 'rttVarMs'],
  retrans: ['retransmitsNow', 'retransmitsTotal'],
};

/** Words whose value is the next word, `send 656.3Kbps`. */
const RATES: Readonly<Record<string, OptionalColumn>> = {
  send: 'sendRateBps',
  pacing_rate: 'pacingRateBps',
  delivery_rate: 'deliveryRateBps',
};

/** `subflows_max` and `remote_key` come from mptcp_info: the row is an MPTCP socket though no Netid says so. */
const SPECIAL: Readonly<Record<string, number>> = {
  users: USERS,
  timer: TIMER,
  skmem: MEMORY,
  sk: COOKIE,
  ino: INODE,
  cgroup: CGROUP,
  v6only: V6ONLY,
  unacked: UNACKED,
  app_limited: APP_LIMITED,
  'tcp-ulp-mptcp': MPTCP_SUBFLOW,
  'tcp-ulp-tls': ULP,
  'tcp-ulp-espintcp': ULP,
  'tcp-ulp-smc': ULP,
  fwmark: MARK,
  subflows_max: MPTCP_SOCKET,
  remote_key: MPTCP_SOCKET,
  // Younger than snd_wnd in tcp_info and in ss: where one of them is printed, a missing snd_wnd is 0 (finish.ts).
  rcv_wnd: YOUNG,
  rehash: YOUNG,
  // Known only so that a line of details is recognised where it is not indented.
  mem: SILENT,
  ts: SILENT,
  sack: SILENT,
  wscale: SILENT,
};

/** Algorithms of the kernel (net/ipv4/tcp_*.c): ss prints the name alone among other words, so that of another is not recognised. */
const CONGESTION_NAMES =
  'cubic reno bbr bbr2 bbr3 dctcp vegas westwood htcp bic illinois veno yeah scalable highspeed hybla nv lp cdg'.split(
    ' ',
  );

interface Tag {
  readonly kind: number;
  readonly first: number;
  readonly second: number;
}

const tags = new Map<number, Tag>();
function addTag(word: string, kind: number, first?: OptionalColumn, second?: OptionalColumn): void {
  const column = (name: OptionalColumn | undefined) => (name === undefined ? -1 : columnIndex(name));
  tags.set(hashText(word), { kind, first: column(first), second: column(second) });
}
for (const [word, column] of Object.entries(NUMBERS)) addTag(word, NUMBER, column);
for (const [word, [first, second]] of Object.entries(PAIRS)) addTag(word, PAIR, first, second);
for (const [word, column] of Object.entries(RATES)) addTag(word, RATE, column);
for (const [word, kind] of Object.entries(SPECIAL)) addTag(word, kind);

for (const word of CONGESTION_NAMES) addTag(word, CONGESTION);

/** Open addressing over typed arrays: 25 look-ups for every row of a table with 100,000. */
const SLOTS = 256;
const slotHash = new Int32Array(SLOTS);
export const tagKind = new Uint8Array(SLOTS);
export const tagFirst = new Int8Array(SLOTS);
export const tagSecond = new Int8Array(SLOTS);
const home = (hash: number): number => (hash ^ (hash >>> 15)) & (SLOTS - 1);
for (const [hash, tag] of tags) {
  let slot = home(hash);
  while (tagKind[slot] !== UNKNOWN_TAG) slot = (slot + 1) & (SLOTS - 1);
  slotHash[slot] = hash;
  tagKind[slot] = tag.kind;
  tagFirst[slot] = tag.first;
  tagSecond[slot] = tag.second;
}

/** The slot of a tag by the hash of its bytes; a slot whose kind is UNKNOWN_TAG for any other word. */
export function findTag(hash: number): number {
  let slot = home(hash);
  while (tagKind[slot] !== UNKNOWN_TAG && slotHash[slot] !== hash) slot = (slot + 1) & (SLOTS - 1);
  return slot;
}

/** Behind these tags of tcp_info, which ss has had since iproute2 4.0 or later, a missing `lastsnd` means 0 (finish.ts). */
export const MODERN_TAGS: readonly number[] = ['minRttMs', 'pathMtu', 'segmentsIn', 'segmentsOut'].map(
  (name) => columnIndex(name as OptionalColumn),
);
