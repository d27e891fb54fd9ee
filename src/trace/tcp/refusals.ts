/** ICMP codes by which a SYN or a datagram is refused (PCAP.md section 4). */
const REFUSING_V4 = new Set([0, 1, 2, 3, 9, 10, 13]);
const REFUSING_V6 = new Set([0, 1, 3, 4, 5, 6]);

/** Whether an ICMP error says that nobody will answer; others tell of a smaller MTU or of a loop. */
export const refusesBy = ({
  family,
  type,
  code,
}: {
  readonly family: 4 | 6;
  readonly type: number;
  readonly code: number;
}): boolean => (family === 6 ? type === 1 && REFUSING_V6.has(code) : type === 3 && REFUSING_V4.has(code));
