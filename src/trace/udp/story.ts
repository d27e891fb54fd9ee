import type { TraceEvent } from '../../model/trace.js';
import type { Moment } from '../../model/trace-moment.js';
import type { Packet } from '../packet.js';
import type { QuicHeader } from '../quic/header.js';
import type { QuicMarks } from '../quic/session.js';

const DNS = 53;
/** Most events of one connection. */
const MOST = 100_000;

const KINDS: Readonly<Record<QuicHeader['kind'], string>> = {
  initial: 'Initial',
  zero_rtt: '0-RTT',
  handshake: 'Handshake',
  retry: 'Retry',
  short: '1-RTT',
  negotiation: 'Version Negotiation',
  unfamiliar: 'unknown version',
};

/** Marks that are turning points of their own, and the direction in which they are seen. */
const TURNS = [
  ['clientHello', 'client_hello', 'client'],
  ['serverHello', 'server_hello', 'server'],
  ['handshakeDone', 'finished', 'client'],
] as const;

/** Every datagram of the one connection over UDP that is told packet by packet. */
export class Story {
  readonly events: TraceEvent[] = [];
  isCut = false;

  /** `direction` 0: from the client. */
  datagram(packet: Packet, direction: 0 | 1, at: Moment): void {
    const text =
      packet.targetPort === DNS ? 'DNS query' : packet.sourcePort === DNS ? 'DNS answer' : undefined;
    this.add({
      ...at,
      kind: 'datagram',
      from: PEERS[direction],
      length: packet.payloadLength,
      ...(text && { text }),
    });
  }

  /** A datagram may hold several packets; `kinds` are theirs in order. */
  quic(
    packet: Packet,
    direction: 0 | 1,
    at: Moment,
    kinds: readonly QuicHeader['kind'][],
    marks: QuicMarks,
  ): void {
    const text = [...new Set(kinds)].map((kind) => KINDS[kind]).join(', ');
    const from = PEERS[direction];
    this.add({ ...at, kind: 'quic', from, length: packet.payloadLength, ...(text !== '' && { text }) });
    for (const [mark, kind, by] of TURNS)
      if (by === from && marks[mark]?.frame === at.frame) this.add({ ...at, kind, from, length: 0 });
  }

  icmp(at: Moment, direction: 0 | 1, detail: number): void {
    this.add({ ...at, kind: 'icmp_unreachable', from: PEERS[direction], length: 0, detail });
  }

  private add(event: TraceEvent): void {
    if (this.events.length < MOST) this.events.push(event);
    else this.isCut = true;
  }
}

const PEERS = ['client', 'server'] as const;
