import type { SocketRow } from '../model/socket-row.js';
import { PROTOCOLS } from '../model/sockets.js';
import { ROW_FLAGS, type SocketTable } from '../model/table.js';
import { type ByteText, type FixedText, fixedText } from './byte-text.js';
import { jsonText } from './json-text.js';
import type { Names } from './names.js';

type Side = 'local' | 'remote';

/** What does not change while a host's ports do. */
interface Host {
  readonly family: number;
  readonly words: readonly number[];
  /** `,"local":"10.0.0.1:` */
  readonly text: FixedText;
  /** `","local_address":"10.0.0.1","local_port":` */
  readonly parts: FixedText;
}

/** A power of two. Two hosts on the same place take turns. */
const PLACES = 4096;
const UNIX = PROTOCOLS.indexOf('unix');

/** Writes both ends of sockets as JSON; the text of a host is kept, for the same ones come again and again. */
export class SocketEnds {
  private readonly hosts: Readonly<Record<Side, (Host | undefined)[]>> = {
    local: new Array(PLACES).fill(undefined),
    remote: new Array(PLACES).fill(undefined),
  };
  private readonly row: SocketRow;

  constructor(
    private readonly table: SocketTable,
    private readonly names: Names,
  ) {
    this.row = table.cursor();
  }

  /** Addresses and known ports, without devices or zones; the remote may be absent. */
  arePlain(row: number): boolean {
    const { protocol, flags, localName, remoteName } = this.table;
    const known = flags[row] as number;
    if (protocol[row] === UNIX || localName[row] !== 0 || remoteName[row] !== 0) return false;
    if ((known & ROW_FLAGS.localPortKnown) === 0) return false;
    return (known & (ROW_FLAGS.remotePortKnown | ROW_FLAGS.remoteAny)) !== 0;
  }

  write(out: ByteText, row: number): void {
    this.end(out, row, 'local');
    if (((this.table.flags[row] as number) & ROW_FLAGS.remoteAny) === 0) this.end(out, row, 'remote');
  }

  private end(out: ByteText, row: number, side: Side): void {
    const { table } = this;
    const port = (side === 'local' ? table.localPort : table.remotePort)[row] as number;
    const { text, parts } = this.hostOf(row, side);
    out.number(port, text);
    out.number(port, parts);
  }

  private hostOf(row: number, side: Side): Host {
    const { table } = this;
    const addresses = side === 'local' ? table.localAddress : table.remoteAddress;
    const family = table.family[row] as number;
    const place = placeOf(addresses, row * 4);
    const known = this.hosts[side][place];
    if (known !== undefined && known.family === family && isSame(known.words, addresses, row * 4))
      return known;
    const host = { family, words: [...addresses.subarray(row * 4, row * 4 + 4)], ...this.textsOf(row, side) };
    this.hosts[side][place] = host;
    return host;
  }

  private textsOf(row: number, side: Side): Pick<Host, 'text' | 'parts'> {
    this.row.index = row;
    const end = this.row[side];
    if (end?.kind !== 'ip') throw new Error('a plain end has an address');
    const whole = jsonText(this.names.endpoint(end));
    return {
      text: fixedText(`,"${side}":${whole.slice(0, whole.lastIndexOf(':') + 1)}`),
      parts: fixedText(`","${side}_address":${jsonText(this.names.host(end))},"${side}_port":`),
    };
  }
}

function placeOf(addresses: Uint32Array, at: number): number {
  const mixed =
    Math.imul((addresses[at] as number) ^ ((addresses[at + 1] as number) >>> 7), 0x9e3779b1) ^
    Math.imul(addresses[at + 2] as number, 0x85ebca6b) ^
    Math.imul(addresses[at + 3] as number, 0xc2b2ae35);
  return (mixed >>> 20) & (PLACES - 1);
}

function isSame(words: readonly number[], addresses: Uint32Array, at: number): boolean {
  for (let word = 3; word >= 0; word--) if (words[word] !== addresses[at + word]) return false;
  return true;
}
