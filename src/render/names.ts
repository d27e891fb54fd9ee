import { bareHost, type Endpoint, formatEndpoint } from '../model/endpoint.js';
import type { Report } from '../model/report.js';
import type { Owner } from '../model/sockets.js';

type IpEndpoint = Extract<Endpoint, { kind: 'ip' }>;

export const LABEL_KINDS = ['netns', 'container', 'pod', 'unit'] as const;
export type LabelKind = (typeof LABEL_KINDS)[number];

/** How addresses and names become text: as they are, or behind pseudonyms (`--redact`). All output goes through one. */
export interface Names {
  readonly redacted: boolean;
  /** Hears which names the sentences about a report may hold. Before its first sentence. */
  learn(report: Report): void;
  /** From here on sentences name processes as `name/pid` only: one that is called `to` need not garble them. */
  processesHaveIds(): void;
  /** `host:port` or the path. */
  endpoint(endpoint: Endpoint): string;
  host(endpoint: IpEndpoint): string;
  /** A network device, or the zone of an address. */
  device(name: string): string;
  owner(owner: Owner): Owner;
  /** A network namespace, a container, a pod or a unit: names that people gave. */
  label(kind: LabelKind, name: string): string;
  /** The machine's own name. */
  machine(name: string): string;
  /** A sentence that may hold addresses and names. */
  sentence(text: string): string;
}

export const PLAIN_NAMES: Names = {
  redacted: false,
  learn: () => {},
  processesHaveIds: () => {},
  endpoint: formatEndpoint,
  host: bareHost,
  device: (name) => name,
  label: (_kind, name) => name,
  owner: (owner) => owner,
  machine: (name) => name,
  sentence: (text) => text,
};
