/** What the decoder found in a packet. */
export const DECODED = { nothing: 0, tcp: 1, udp: 2, icmpError: 3 } as const;

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;
export const URG = 32;

/**
 * The packet at hand. One object for all of them, filled again for each: nothing may keep it, or its bytes.
 * 32-bit fields are signed (`| 0`), because small signed integers cost no allocation; compare sequence numbers by `(a - b) | 0`.
 */
export class Packet {
  frame = 0;
  /** Nanoseconds since the epoch of the capture. */
  time = 0;
  /** The memory that the payload lies in: the batch's, or that of a reassembled datagram. */
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));

  family: 4 | 6 = 4;
  /** IPv4 in `source` and `target`. IPv6: these are ids from `AddressBook`, one for each address seen. */
  source = 0;
  target = 0;
  sourcePort = 0;
  targetPort = 0;
  /** Number of the VLANs and tunnels that the packet came through, from `PathBook`; 0: none. */
  path = 0;
  ttl = 0;
  /** Identification of the IPv4 header: -1 for IPv6. A copy made by the capture has the same one. */
  ipId = -1;
  /** The packet was put together from fragments. */
  fragmented = false;

  seq = 0;
  ack = 0;
  flags = 0;
  /** As in the header, not scaled. */
  window = 0;
  /** TCP options, in `bytes`: empty where from === to. */
  optionsFrom = 0;
  optionsTo = 0;

  /** The IP packet on the wire with its header: the innermost one, of a super-frame as it was captured. */
  ipLength = 0;
  /** Captured payload. */
  payloadFrom = 0;
  payloadTo = 0;
  /** Payload on the wire: more than captured where a snap length cut it. */
  payloadLength = 0;

  /** Of an ICMP error: type * 256 + code; addresses, ports and (for TCP) `seq` above are those of the quoted packet, protocol below. */
  icmp = 0;
  /** 6 or 17: of the packet, or of the quoted one. */
  protocol = 0;
  /** The snap length cut it. Checksums are not looked at: offloads make them wrong on every sender. */
  cut = false;
}
