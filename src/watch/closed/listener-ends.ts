import type { Endpoint } from '../../model/endpoint.js';
import type { Listener } from '../../model/listener.js';
import type { SocketTable } from '../../model/table.js';

type IpEndpoint = Extract<Endpoint, { kind: 'ip' }>;

interface Candidate {
  readonly listener: Listener;
  readonly end: IpEndpoint;
}

const WORDS = [0, 1, 2, 3] as const;
/** Addresses that were looked up, by number: whoever has more of his own starts anew. */
const MOST_KNOWN = 4096;

/**
 * Finds the listener that a connection of another table came to, by KERNEL.md 5: its own address before the wildcard of its family before
 * dual stack. Members of a SO_REUSEPORT group cannot be told apart: the first stands for all.
 */
export class ListenerEnds {
  private readonly byPort = new Map<number, Candidate[]>();
  private readonly known = new Map<number, Listener | undefined>();

  constructor(listeners: Iterable<Listener>) {
    for (const listener of listeners) {
      const { local } = listener;
      if (local.kind !== 'ip' || local.port === undefined) continue;
      const candidate = { listener, end: local };
      const known = this.byPort.get(local.port);
      if (known === undefined) this.byPort.set(local.port, [candidate]);
      else known.push(candidate);
    }
  }

  find(table: SocketTable, row: number): Listener | undefined {
    const port = table.localPort[row] as number;
    const candidates = this.byPort.get(port);
    if (candidates === undefined) return undefined;
    const isPlain = table.family[row] === 4 && table.localName[row] === 0;
    if (!isPlain) return best(candidates, table, row);
    const key = (table.localAddress[row * 4 + 3] as number) * 65_536 + port;
    if (this.known.has(key)) return this.known.get(key);
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    const found = best(candidates, table, row);
    this.known.set(key, found);
    return found;
  }
}

function best(candidates: readonly Candidate[], table: SocketTable, row: number): Listener | undefined {
  let found: Listener | undefined;
  let highest = 0;
  for (const { listener, end } of candidates) {
    const score = scoreOf(end, table, row);
    if (score <= highest) continue;
    found = listener;
    highest = score;
  }
  return found;
}

/** 0: does not fit. One that is bound to a device takes only what came through it, and comes first. */
function scoreOf({ address, device, dualStack }: IpEndpoint, table: SocketTable, row: number): number {
  const name = table.strings[table.localName[row] as number] ?? '';
  if (device !== undefined && device !== name) return 0;
  const bound = device === undefined ? 0 : 10;
  const isSameFamily = address.family === table.family[row];
  if (address.words.some((word) => word !== 0)) {
    const isSame = WORDS.every((word) => table.localAddress[row * 4 + word] === address.words[word]);
    return isSameFamily && isSame ? 3 + bound : 0;
  }
  // Aborted before it had an address of its own.
  if (isSameFamily) return 2 + bound;
  return dualStack === true ? 1 + bound : 0;
}
