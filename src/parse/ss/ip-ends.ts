import { AddressReader, ANY_PORT, NAMED_PORT } from './address.js';
import type { Evidence, Facts } from './facts.js';
import type { Scanner } from './scanner.js';
import { protocolIndex } from './words.js';

const UDP = protocolIndex('udp');

/** Both ends of a socket of TCP, MPTCP, UDP or raw: read first, and stored once the row stands. */
export class IpEnds {
  private readonly local = new AddressReader();
  private readonly remote = new AddressReader();
  /** Where the end that was read last began. */
  readFrom = 0;

  /** Says which end is broken, or nothing. */
  read(line: Scanner): 'local' | 'remote' | undefined {
    this.readFrom = line.pos;
    if (!this.local.read(line)) return 'local';
    this.readFrom = line.pos;
    return this.remote.read(line) ? undefined : 'remote';
  }

  /** Writes both ends into the present row, whose protocol is set. */
  store(line: Scanner, facts: Facts): void {
    const { local, remote } = this;
    const { table, row, evidence } = facts;
    const noPeer = remote.port === ANY_PORT && remote.isWildcard;
    if (noPeer) table.setFlag(row, 'remoteAny');
    noteStyle(evidence, local);
    noteStyle(evidence, remote);
    table.family[row] = this.unite(noPeer, facts);
    storeWords(table.localAddress, row, local.words);
    if (!noPeer) storeWords(table.remoteAddress, row, remote.words);
    storePort('local', local, line, facts);
    storePort('remote', remote, line, facts);
    if (local.deviceEnd > 0) table.localName[row] = internDevice(local, line, facts);
    if (remote.deviceEnd > 0) table.remoteName[row] = internDevice(remote, line, facts);
  }

  /** One family for both ends; where one is IPv4 and the other IPv6, the IPv4 end is mapped again. */
  private unite(noPeer: boolean, facts: Facts): number {
    const { local, remote } = this;
    if (local.family === 0) {
      if (noPeer || remote.family === 0) facts.starHosts.push(facts.row);
      return noPeer ? 0 : remote.family;
    }
    if (noPeer || remote.family === 0 || remote.family === local.family) return local.family;
    (local.family === 4 ? local : remote).words[2] = 0xffff;
    return 6;
  }
}

type Side = 'local' | 'remote';

function storePort(
  side: Side,
  { port, portStart, portEnd }: AddressReader,
  line: Scanner,
  facts: Facts,
): void {
  const { table, row } = facts;
  if (port === ANY_PORT) return;
  const name = port === NAMED_PORT ? line.text(portStart, portEnd) : '';
  const known = port === NAMED_PORT ? lookUp(name, facts) : port;
  if (known === undefined) {
    table.setNote(row, side === 'local' ? 'localPortName' : 'remotePortName', name);
    return;
  }
  (side === 'local' ? table.localPort : table.remotePort)[row] = known;
  table.setFlag(row, side === 'local' ? 'localPortKnown' : 'remotePortKnown');
}

function lookUp(name: string, { evidence, options, table, row }: Facts): number | undefined {
  if (name === 'icmp' || name === 'ipv6-icmp') evidence.rawPortNames = true;
  return options.services?.get(`${name}/${table.protocol[row] === UDP ? 'udp' : 'tcp'}`);
}

const internDevice = ({ deviceStart, deviceEnd }: AddressReader, line: Scanner, { table }: Facts): number =>
  table.intern(line.text(deviceStart, deviceEnd));

function noteStyle(evidence: Evidence, { style, family, words }: AddressReader): void {
  if (style === 'bracketed') evidence.bracketedIpv6 = true;
  else if (style === 'bare') evidence.bareIpv6 = true;
  else if (family === 4 && words[3] === 0) evidence.zeroHost = true;
}

/** By hand: `set` costs more than four words are worth. */
function storeWords(addresses: Uint32Array, row: number, words: Uint32Array): void {
  const at = row * 4;
  addresses[at] = words[0] as number;
  addresses[at + 1] = words[1] as number;
  addresses[at + 2] = words[2] as number;
  addresses[at + 3] = words[3] as number;
}
