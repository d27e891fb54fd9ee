import { type Endpoint, isWildcard } from '../model/endpoint.js';
import { formatIp, type IpAddress, isLoopback, parseIp } from '../model/ip.js';
import type { Report } from '../model/report.js';
import type { Owner } from '../model/sockets.js';
import { redactHome, redactNamespace } from './labels.js';
import type { LabelKind, Names } from './names.js';

type IpEndpoint = Extract<Endpoint, { kind: 'ip' }>;
type Kind = 'ip' | 'ip6' | 'dev' | 'unix' | 'process' | 'host' | LabelKind;

const IP_LIKE = /\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,8}(?:\.\d{1,3}){0,3}/g;
/** The device or zone behind an address, unless it is a pseudonym already. */
const DEVICE = /(?<=[\w.:*\]])%(?!dev-\d)([^\s\]:,;)"%>]+)/g;
const BEFORE_ID = '(?=/\\d)';
const QUOTED = /"(?:[^"\\]|\\.)*"/g;

/**
 * `--redact`: the same address, path, process or host is the same pseudonym (`ip-1`, `process-2`) in all of one run.
 * Ports, process ids and wildcard addresses stay; in sentences, what stands in quotation marks goes.
 */
export class Pseudonyms implements Names {
  readonly redacted = true;
  private readonly known = new Map<string, string>();
  private readonly counts = new Map<Kind, number>();
  /** Names that sentences may hold, as found so far. */
  private words: RegExp | undefined;
  private readonly hidden = new Map<string, string>();
  private readonly processes = new Map<string, string>();
  private processWords: RegExp | undefined;
  private numberWords: RegExp | undefined;
  private behindProcess = '(?![\\w-])';
  /** Processes whose names are numbers: hidden where their id follows, since else they would garble every number. */
  private readonly numbers = new Map<string, string>();

  /** `asAddresses`: pseudonyms that are addresses themselves, for what must be read again (recordings). */
  constructor(
    report?: Report,
    private readonly asAddresses = false,
  ) {
    if (report) this.learn(report);
  }

  learn({ origin, listeners, namespaces = [] }: Report): void {
    this.machine(origin.host);
    for (const { namespace } of namespaces) redactNamespace(namespace, this);
    for (const { listener } of listeners) {
      this.endpoint(listener.local);
      for (const owner of listener.owners ?? []) this.owner(owner);
      if (listener.home !== undefined) redactHome(listener.home, this);
    }
  }

  processesHaveIds(): void {
    this.behindProcess = BEFORE_ID;
    this.processWords = undefined;
  }

  endpoint(endpoint: Endpoint): string {
    if (endpoint.kind === 'unix') return endpoint.path === '' ? '' : this.pseudonym('unix', endpoint.path);
    const host = this.host(endpoint);
    const bracketed = host.includes(':') ? `[${host}]` : host;
    return `${bracketed}:${endpoint.port ?? endpoint.portName ?? '*'}`;
  }

  host(endpoint: IpEndpoint): string {
    const device = endpoint.device === undefined ? '' : `%${this.device(endpoint.device)}`;
    return (isWildcard(endpoint) ? formatIp(endpoint.address) : this.address(endpoint.address)) + device;
  }

  device(name: string): string {
    return this.pseudonym('dev', name);
  }

  label(kind: LabelKind, name: string): string {
    // Every machine has it, and it gives nothing away.
    return kind === 'netns' && name === 'host' ? name : this.pseudonym(kind, name);
  }

  owner(owner: Owner): Owner {
    return { ...owner, name: this.pseudonym('process', owner.name) };
  }

  machine(name: string): string {
    return name === 'unknown' ? name : this.pseudonym('host', name);
  }

  sentence(text: string): string {
    this.words ??= wordPattern([...this.hidden.keys()], '(?![\\w-])');
    this.processWords ??= wordPattern([...this.processes.keys()], this.behindProcess);
    this.numberWords ??= wordPattern([...this.numbers.keys()], BEFORE_ID);
    const named = text
      .replace(this.numberWords, (word) => this.numbers.get(word) ?? word)
      .replace(this.processWords, (word) => this.processes.get(word) ?? word)
      .replace(this.words, (word) => this.hidden.get(word) ?? word);
    return named
      .replace(IP_LIKE, (like) => this.addressIn(like))
      .replace(DEVICE, (_, name: string) => `%${this.pseudonym('dev', name)}`)
      .replace(QUOTED, '"(hidden)"');
  }

  private address(address: IpAddress): string {
    // Every host has these, and what they are called gives nothing away.
    if (this.asAddresses && isLoopback(address)) return formatIp(address);
    return this.pseudonym(address.family === 6 ? 'ip6' : 'ip', formatIp(address));
  }

  private addressIn(text: string): string {
    const address = parseIp(text);
    if (address === undefined || address.words.every((word) => word === 0)) return text;
    return this.address(address);
  }

  /** 198.18.0.0/15 is for benchmarks (RFC 2544), 2001:db8::/32 for documentation (RFC 3849): no host of anybody has them. */
  private makeName(kind: Kind, count: number): string {
    if (kind !== 'ip' && kind !== 'ip6') return `${kind}-${count}`;
    if (!this.asAddresses) return `ip-${this.countOf('ip') + this.countOf('ip6')}`;
    return kind === 'ip6'
      ? formatIp({ family: 6, words: [0x20010db8, 0, 0, count] })
      : formatIp({ family: 4, words: [0, 0, 0, 0xc6120000 + count] });
  }

  private countOf(kind: Kind): number {
    return this.counts.get(kind) ?? 0;
  }

  private pseudonym(kind: Kind, name: string): string {
    const key = `${kind} ${name}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    const made = this.makeName(kind, count);
    this.known.set(key, made);
    if (kind === 'process' && /^\d+$/.test(name)) {
      this.numbers.set(name, made);
      this.numberWords = undefined;
    }
    // Addresses are found in sentences by their shape; a name of digits would garble every number.
    if (kind !== 'ip' && kind !== 'ip6' && name !== '' && !/^\d+$/.test(name)) {
      (kind === 'process' ? this.processes : this.hidden).set(name, made);
      this.words = this.processWords = undefined;
    }
    return made;
  }
}

/** Matches each name where it stands alone before `behind`, the longest first; nothing where there are none. */
function wordPattern(names: readonly string[], behind: string): RegExp {
  const longestFirst = [...names].sort((a, b) => b.length - a.length);
  const escaped = longestFirst.map((name) => name.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  return escaped.length === 0 ? /(?!)/g : new RegExp(`(?<![\\w-])(?:${escaped.join('|')})${behind}`, 'g');
}
