import type { TrustNote } from '../model/trace-summary.js';

type What = TrustNote['what'];

const MOST_FRAMES = 5;

const TEXTS: Readonly<Record<What, readonly [message: (count: string) => string, limits: string]>> = {
  one_sided: [
    (count) => `${count} connections were captured in one direction only`,
    'outcomes, round-trip times and losses of those are guesses',
  ],
  snap_length: [
    (count) => `${count} packets are cut by the snap length`,
    'TLS and HTTP beyond the cut are not seen; sizes and times are right',
  ],
  dropped: [
    (count) => `the capture dropped ${count} packets`,
    'missing packets may be losses of the capture, not of the network',
  ],
  duplicates: [
    (count) => `${count} packets were captured twice (mirror port, or -i any)`,
    'copies are left out of all counts',
  ],
  clock_back: [
    (count) => `the clock went back in ${count} packets`,
    'durations across these packets are wrong',
  ],
  collisions: [
    (count) => `${count} connections have the addresses and ports of another on a different VLAN or tunnel`,
    'they are told apart here (a connection captured before and behind a tag is two); tools that do not will mix them',
  ],
  missing: [
    (count) => `${count} connections miss bytes that the peer acknowledged`,
    'those packets did arrive: the capture lost them, so no loss can be concluded there',
  ],
  evicted: [
    (count) => `${count} connections were given up to bound memory`,
    'what they did later shows as connections begun before the capture',
  ],
  midstream: [
    (count) => `${count} connections began before the capture`,
    'who is client and who is server is a guess from the ports; their handshakes are unknown',
  ],
  fragments: [
    (count) => `${count} fragmented datagrams never became whole`,
    'what they carried is not analysed',
  ],
  undecoded: [
    (count) => `${count} packets could not be decoded (headers cut or damaged, or an unknown link type)`,
    'they are in no connection',
  ],
};

/** What of a capture must not be believed, and which conclusions cannot be drawn from it. */
export class Trust {
  private readonly counts = new Map<What, { count: number; frames: number[] }>();

  note(what: What, frame: number, count = 1): void {
    if (count === 0) return;
    let entry = this.counts.get(what);
    if (entry === undefined) {
      entry = { count: 0, frames: [] };
      this.counts.set(what, entry);
    }
    entry.count += count;
    if (frame !== 0 && entry.frames.length < MOST_FRAMES) entry.frames.push(frame);
  }

  notes(): TrustNote[] {
    return [...this.counts].map(([what, { count, frames }]) => {
      const [message, limits] = TEXTS[what];
      return { what, count, frames, message: message(count.toLocaleString('en')), limits };
    });
  }
}
