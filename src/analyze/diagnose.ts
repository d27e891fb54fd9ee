import type { Diagnosis, DiagnosisFacts, DiagnosisFinding, Need, Subject } from '../model/diagnosis.js';
import { formatEndpoint } from '../model/endpoint.js';
import { type Rule, severityRank } from '../model/findings.js';
import type { Gap } from '../model/observation.js';
import type { Pool } from '../model/pools.js';
import { depthOf, explain } from './diagnose/causes.js';
import { existingFindings } from './diagnose/existing.js';
import { type DiagnosisRule, type Found, towards } from './diagnose/found.js';
import { namedIn } from './diagnose/named.js';
import { DIAGNOSIS_RULES } from './diagnose/rules.js';
import { tooShortGap } from './diagnose/too-short.js';
import { whyOf } from './diagnose/why.js';
import { hiddenGap, hiddenSockets } from './hidden.js';
import { POOL_RULES_OF_PROCESS } from './pools/unjudged.js';
import { listed } from './words.js';

/** Rules whose subject is said by its place in the table of topics; the rest as they came. */
const ORDER: readonly Rule[] = DIAGNOSIS_RULES.map(({ name }) => name) as readonly Rule[];

/** Everything that is wrong, the worst first; what another finding explains behind what explains it. Pure. */
export function diagnose(facts: DiagnosisFacts): Diagnosis {
  const missing = missingNeeds(facts);
  const found = DIAGNOSIS_RULES.filter(({ needs }) => !needs.some((need) => missing.has(need))).flatMap(
    (rule) => rule.judge(facts).map(finish),
  );
  const all = [...existingFindings(facts), ...found];
  const findings = ranked(explain(facts.filtered ? all.filter((one) => !isOfAll(one)) : all));
  const names = new Set(findings.flatMap(({ settings }) => settings));
  const values = facts.stack?.last.settings ?? {};
  const unjudged = [...tooShortGap(facts), ...hiddenGap(OF_PROCESS, hiddenOf(facts)), ...gapsOf(missing)];
  return {
    origin: facts.origin,
    watchedMs: facts.watchedMs,
    ...(facts.pools.apartMs !== undefined && { apartMs: facts.pools.apartMs }),
    named: namedIn(facts),
    findings,
    lookedAt: lookedAt(facts, missing),
    settings: Object.fromEntries(
      [...names].flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])),
    ),
    gaps: [...facts.gaps, ...unjudged, ...(facts.filtered ? [NOT_SPLIT] : [])],
    ...(unjudged.length > 0 && { isPartial: true as const }),
  };
}

/** Of no socket: from counters of the namespace, or numbers of the host. UDP drops were counted of one socket. */
const isOfAll = ({ about, rule }: DiagnosisFinding): boolean =>
  Object.keys(about).length === 0 && rule !== 'udp_drops';

const NOT_SPLIT: Gap = {
  what: 'counters of the namespace',
  why: 'not split by port or process: what only they tell of is left out',
};

const finish = ({ why, settings = [], ...found }: Found): DiagnosisFinding => ({
  ...found,
  subject: subjectText(found.about),
  why: why ?? whyOf(found.rule),
  settings,
});

/** Raw: renderers clean it. The same trouble has the same words at every look. */
export function subjectText({ owner, local, remote }: Subject): string {
  const parts = [
    ...(owner === undefined ? [] : [`${owner.name}/${owner.pid}`]),
    ...(local === undefined ? [] : [formatEndpoint(local)]),
    ...(remote === undefined ? [] : [`> ${formatEndpoint(remote)}`]),
  ];
  if (parts.length === 0) return 'host';
  // A bare arrow comes from nowhere.
  return parts.length === 1 && remote !== undefined ? towards('outbound', remote) : parts.join(' ');
}

function ranked(findings: readonly DiagnosisFinding[]): DiagnosisFinding[] {
  const topic = ({ rule }: DiagnosisFinding) => ORDER.indexOf(rule);
  return [...findings].sort(
    (a, b) =>
      severityRank(b.severity) - severityRank(a.severity) ||
      depthOf(a, findings) - depthOf(b, findings) ||
      topic(a) - topic(b),
  );
}

const HAS: Readonly<Record<Need, (facts: DiagnosisFacts) => boolean>> = {
  looks: ({ looks }) => looks > 1,
  owners: (facts) => nobodyIsHidden(facts) || facts.pools.pools.some(({ owner }) => isOwner(owner)),
  descriptors: ({ descriptors }) => descriptors !== undefined,
  counters: ({ counters }) => counters !== undefined,
  settings: ({ stack }) => stack?.last.portRange !== undefined,
  sockstat: ({ stack }) => stack?.last.memoryPages !== undefined,
  times: ({ pools }) => pools.pools.every(({ open, busy }) => open === 0 || busy !== undefined),
};

const isOwner = (owner: Pool['owner']) => typeof owner === 'object';

const hiddenOf = ({ pools, listeners }: DiagnosisFacts) => hiddenSockets(pools.pools, listeners);

function nobodyIsHidden(facts: DiagnosisFacts): boolean {
  const { connections, listeners } = hiddenOf(facts);
  return connections + listeners === 0;
}

/** Of one process each; of pools and of listeners. */
const OF_PROCESS: readonly Rule[] = [
  ...POOL_RULES_OF_PROCESS,
  'fd_limit',
  'threads_blocked',
  'threads_busy',
  'connection_limit',
];

const WHY_MISSING: Readonly<Record<Need, string>> = {
  looks: 'there was one look only',
  owners: 'the processes behind the sockets are not known',
  descriptors: 'descriptors of processes are not known: only a look at this host has them',
  counters: 'the counters of the namespace could not be compared',
  settings: 'the settings of the host are not known: only a look at this host has them',
  sockstat: 'sockstat is not known: only a look at this host has it',
  times: 'this source has no times of connections',
};

const missingNeeds = (facts: DiagnosisFacts): ReadonlySet<Need> =>
  new Set((Object.keys(HAS) as Need[]).filter((need) => !HAS[need](facts)));

const isJudged = ({ needs }: DiagnosisRule, missing: ReadonlySet<Need>) =>
  !needs.some((need) => missing.has(need));

/** What could not be looked at, a line for each reason. */
function gapsOf(missing: ReadonlySet<Need>): Gap[] {
  return [...missing].flatMap((need): Gap[] => {
    const asks = DIAGNOSIS_RULES.filter(({ needs }) => needs.includes(need)).map((rule) => rule.asks);
    return asks.length === 0 ? [] : [{ what: `not looked at: ${listed(asks, 9)}`, why: WHY_MISSING[need] }];
  });
}

function lookedAt(facts: DiagnosisFacts, missing: ReadonlySet<Need>): Diagnosis['lookedAt'] {
  const pids = new Set<number>(facts.descriptors?.map(({ owner }) => owner.pid) ?? []);
  for (const { owner } of facts.pools.pools) if (typeof owner === 'object') pids.add(owner.pid);
  for (const { listener } of facts.listeners) for (const { pid } of listener.owners ?? []) pids.add(pid);
  return {
    looks: facts.looks,
    listeners: facts.listeners.length,
    connections: facts.seen.connections,
    udp: facts.seen.udp,
    unix: facts.seen.unix,
    processes: pids.size,
    counters: Object.keys(facts.counters ?? {}).length,
    settings: Object.keys(facts.stack?.last.settings ?? {}).length,
    rules: DIAGNOSIS_RULES.filter((rule) => isJudged(rule, missing)).length,
  };
}
