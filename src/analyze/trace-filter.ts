import { type Endpoint, formatEndpoint } from '../model/endpoint.js';
import type { IpAddress } from '../model/ip.js';
import { OUTCOMES, type TraceConnection } from '../model/trace.js';
import { TRACE_RULES } from '../model/trace-findings.js';
import { compileAll, either, judge, type Language, PORTS, type Term, term } from './filter-language.js';
import { readTokens } from './filter-tokens.js';
import {
  type Clause,
  type Network,
  type NumberTest,
  readDuration,
  readIntegers,
  readNames,
  readNetworks,
} from './filter-values.js';

type Compile = (clause: Clause) => Term<TraceConnection>;
type Ends = readonly ['client' | 'server', ('client' | 'server')?];

const port =
  (...[side, other = side]: Ends): Compile =>
  (clause) => {
    const test = readIntegers(clause, 65_535, PORTS);
    const of = (endpoint: Endpoint) => (endpoint.kind === 'ip' ? judge(endpoint.port, test) : false);
    return term('columns', (connection) => either(of(connection[side]), of(connection[other])));
  };

const address =
  (...[side, other = side]: Ends): Compile =>
  (clause) => {
    const networks = readNetworks(clause);
    const of = (endpoint: Endpoint) =>
      endpoint.kind === 'ip' && networks.some((network) => contains(network, endpoint.address));
    return term('columns', (connection) => of(connection[side]) || of(connection[other]));
  };

const contains = ({ family, words, masks }: Network, ip: IpAddress): boolean =>
  family === ip.family &&
  words.every((word, index) => ((word ^ (ip.words[index] ?? 0)) & (masks[index] ?? 0)) === 0);

const count =
  (of: (connection: TraceConnection) => number): Compile =>
  (clause) => {
    const test = readIntegers(clause, Number.MAX_SAFE_INTEGER, 'a whole number, as 0 or 1000');
    return term('columns', (connection) => test(of(connection)));
  };

/** A duration of the capture, ns, compared in ms. */
const time =
  (of: (connection: TraceConnection) => number | undefined): Compile =>
  (clause) => {
    const test: NumberTest = readDuration(clause);
    return term('columns', (connection) => {
      const value = of(connection);
      return value === undefined ? undefined : test(value / 1e6);
    });
  };

const oneOf =
  <Name extends string>(
    names: readonly Name[],
    of: (connection: TraceConnection) => readonly Name[],
  ): Compile =>
  (clause) => {
    const wanted = readNames(clause, names);
    return term('columns', (connection) => of(connection).some((name) => wanted.has(name)));
  };

const text =
  (of: (connection: TraceConnection) => readonly (string | undefined)[]): Compile =>
  ({ value }) => {
    const wanted = value.toLowerCase();
    return term('text', (connection) => of(connection).some((part) => part?.toLowerCase().includes(wanted)));
  };

const resent = ({ clientFacts, serverFacts }: TraceConnection): number =>
  [clientFacts, serverFacts].reduce(
    (sum, { retransmissions: { rto, fast, spurious } }) => sum + rto + fast + spurious,
    0,
  );

const namesOf = ({ tls, quic, dns, http }: TraceConnection) => [
  tls?.sni,
  quic?.sni,
  dns?.name,
  ...(http?.exchanges.map(({ host }) => host) ?? []),
];

/** Churn is of a pool: none of its connections has it. */
const CONNECTION_RULES = TRACE_RULES.filter((rule) => rule !== 'pool_churn');

const KEYS: Readonly<Record<string, Compile>> = {
  port: port('client', 'server'),
  lport: port('client'),
  rport: port('server'),
  address: address('client', 'server'),
  client: address('client'),
  server: address('server'),
  proto: oneOf(['tcp', 'quic', 'udp'] as const, ({ protocol }) => [protocol]),
  state: oneOf(OUTCOMES, ({ outcome }) => [outcome]),
  finding: oneOf(CONNECTION_RULES, ({ findings }) => findings.map(({ rule }) => rule)),
  severity: oneOf(['info', 'warning', 'critical'] as const, ({ findings }) =>
    findings.map((one) => one.severity),
  ),
  id: count(({ id }) => id),
  syns: count(({ syn }) => syn.length),
  retransmissions: count(resent),
  bytes: count(({ clientFacts, serverFacts }) => clientFacts.bytes + serverFacts.bytes),
  requests: count(({ http }) => http?.requests ?? 0),
  rtt: time(({ phases }) => phases.synToSynAck),
  connect: time(({ phases }) => phases.connect),
  tls: time(({ phases }) => phases.tls),
  response: time(({ phases }) => phases.firstResponse),
  duration: time(({ phases }) => phases.duration),
  name: text(namesOf),
  path: text(({ http }) => http?.exchanges.map((exchange) => exchange.path) ?? []),
};

const endsOf = ({ client, server }: TraceConnection) => `${formatEndpoint(client)} ${formatEndpoint(server)}`;
const LONGEST_TEXT = 500;

/** What words and patterns look at: the connection, and each request. Not one long text: a pattern may take its length to the third. */
const textsOf = (connection: TraceConnection): string[] => [
  `${connection.protocol} ${connection.outcome} ${endsOf(connection)} ${namesOf(connection).join(' ')}`.slice(
    0,
    LONGEST_TEXT,
  ),
  ...(connection.http?.exchanges ?? []).map(({ method = '', path = '' }) =>
    `${method} ${path}`.slice(0, LONGEST_TEXT),
  ),
];

const LANGUAGE: Language<TraceConnection> = {
  keys: KEYS,
  // Seen from the capture, the client is the local end: the filters of live and snapshot mean the same here.
  aliases: {
    local: 'client',
    remote: 'server',
    outcome: 'state',
    protocol: 'proto',
    rule: 'finding',
    sni: 'name',
    host: 'name',
  },
  word: (word) => {
    const wanted = word.toLowerCase();
    return term('text', (connection) =>
      textsOf(connection).some((one) => one.toLowerCase().includes(wanted)),
    );
  },
  regex: (pattern) => term('text', (connection) => textsOf(connection).some((one) => pattern.test(one))),
};

/**
 * The filter language of every command, over connections of a capture: `port:443 state:refused client:10.0.0.0/8
 * retransmissions>0 connect>1s finding:accept_queue_overflow name:example.com -proto:udp /regex/`.
 * @throws ParseError that names the term, what was expected and what came
 */
export function parseTraceFilter(filter: string): (connection: TraceConnection) => boolean {
  return compileAll(readTokens(filter), LANGUAGE);
}
