/** What one run of ss is asked for. */
export interface SsQuery {
  /** States to show; absent: all (`-a`). */
  readonly states?: readonly SsState[];
  /** Only sockets of these local ports, besides those without a peer (listeners). ss then shows no Unix sockets. */
  readonly ports?: readonly number[];
  readonly udp: boolean;
  readonly unix: boolean;
  /** False: without tcp_info, which is most of the work (measured: 0.56 s with and 0.26 s without, for 108,000 sockets). */
  readonly details?: boolean;
}

/** As ss spells them: its `state` filters work in the kernel, so rows that do not match cost almost nothing. */
export type SsState = 'listening' | 'syn-recv' | 'established' | 'close-wait' | 'close';

/** What a row says: H no header, O one line per socket, n numeric, then extended, memory, tcp_info and timers. */
const DETAIL_FLAGS = ['H', 'O', 'n', 'e', 'm', 'i', 'o'] as const;

/**
 * Flags that an old ss may lack, with what is then missing. -H came with iproute2 4.7, -O with 5.2, -M with 5.9;
 * without -H and -O the output has a header and detail lines, and says the same.
 */
export const DROPPABLE: Readonly<Record<string, string | undefined>> = {
  H: undefined,
  O: undefined,
  M: 'MPTCP connections that wait',
  e: 'inodes, so owners and waiting connections',
  m: 'memory and dropped segments',
  i: 'waiting times and round-trip times',
  o: 'timers',
};

/** Arguments of ss for a query, without the flags that this ss has rejected. Never -p: it scans every descriptor of the host. */
export function ssArgs(query: SsQuery, rejected: ReadonlySet<string>): string[] {
  const families = ['t', 'M', ...(query.udp ? ['u'] : []), ...(query.unix ? ['x'] : [])];
  const letters = [...DETAIL_FLAGS, ...families, ...(query.states === undefined ? ['a'] : [])];
  const isWanted = (letter: string) => !rejected.has(letter) && (letter !== 'i' || query.details !== false);
  const flags = `-${letters.filter(isWanted).join('')}`;
  return [flags, ...stateArgs(query.states ?? [], query.udp), ...portArgs(query.ports ?? [])];
}

// What listens on UDP is "unconnected", which ss calls `close`. No TCP socket in CLOSE is listed, but idle Unix ones are.
const stateArgs = (states: readonly SsState[], udp: boolean): string[] => {
  const wanted = states.length > 0 && udp ? [...states, 'close'] : states;
  return wanted.flatMap((state) => ['state', state]);
};

// `dport = :0` keeps the listeners of every other port.
const portArgs = (ports: readonly number[]): string[] =>
  ports.length === 0 ? [] : [`( ${ports.map((port) => `sport = :${port}`).join(' or ')} or dport = :0 )`];

/** The flag that getopt complains about: `invalid option -- 'O'` (glibc), `unrecognized option: O` (musl). */
export function rejectedFlag(stderr: string): string | undefined {
  return /(?:invalid|unrecognized|illegal|unknown) option(?:: | -- )'?([A-Za-z])'?/.exec(stderr)?.[1];
}
