import type { Endpoint } from '../../model/endpoint.js';
import { type ByteText, type FixedText, fixedText } from '../byte-text.js';
import { jsonText } from '../json-text.js';
import type { Names } from '../names.js';

type IpEndpoint = Extract<Endpoint, { kind: 'ip' }>;

interface Host {
  readonly address: IpEndpoint['address'];
  /** `"10.0.0.1:`, as in JSON. */
  readonly text: FixedText;
}

/** A power of two. Two hosts on the same place take turns. */
const PLACES = 4096;

/** Writes endpoints; the text of a host is kept, for the same ones come again and again. */
export class HostTexts {
  private readonly hosts: (Host | undefined)[] = new Array(PLACES).fill(undefined);

  constructor(private readonly names: Names) {}

  /** `"10.0.0.1:443"` as JSON behind its name, as `names` has it. */
  write(out: ByteText, endpoint: Endpoint, name: FixedText): void {
    out.fixed(name);
    if (endpoint.kind === 'ip' && endpoint.port !== undefined && endpoint.device === undefined) {
      out.number(endpoint.port, this.hostOf(endpoint));
      out.fixed(END);
    } else out.string(this.names.endpoint(endpoint));
  }

  private hostOf(endpoint: IpEndpoint): FixedText {
    const { address } = endpoint;
    const place = placeOf(address);
    const known = this.hosts[place];
    if (known !== undefined && isSame(known.address, address)) return known.text;
    const whole = jsonText(this.names.endpoint(endpoint));
    const text = fixedText(whole.slice(0, whole.lastIndexOf(':') + 1));
    this.hosts[place] = { address, text };
    return text;
  }
}

const END = fixedText('"');

function placeOf({ words }: IpEndpoint['address']): number {
  const mixed =
    Math.imul(words[0] ^ (words[1] >>> 7), 0x9e3779b1) ^
    Math.imul(words[2], 0x85ebca6b) ^
    Math.imul(words[3], 0xc2b2ae35);
  return (mixed >>> 20) & (PLACES - 1);
}

const isSame = (one: IpEndpoint['address'], other: IpEndpoint['address']): boolean =>
  one.family === other.family &&
  one.words[3] === other.words[3] &&
  one.words[2] === other.words[2] &&
  one.words[1] === other.words[1] &&
  one.words[0] === other.words[0];
