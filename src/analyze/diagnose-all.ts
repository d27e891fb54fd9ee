import type { Diagnosis, DiagnosisFinding, DiagnosisPart, LookedAt, Named } from '../model/diagnosis.js';
import { type Rule, severityRank } from '../model/findings.js';
import { type Namespace, namespaceLabel } from '../model/namespace.js';
import type { Gap } from '../model/observation.js';
import { millis } from '../model/units.js';
import { diagnose } from './diagnose.js';

/** One namespace's diagnosis; `namespace` is absent where its findings need no name. */
interface Judged {
  readonly diagnosis: Diagnosis;
  readonly namespace?: Namespace;
}

/** Judges each namespace by itself, and makes one diagnosis of all, the worst first. Pure. Throws where there are none. */
export function diagnoseAll(parts: readonly DiagnosisPart[]): Diagnosis {
  const judged = parts.map(({ facts, ...part }): Judged => ({ diagnosis: diagnose(facts), ...part }));
  const [first, another] = judged;
  if (first === undefined) throw new RangeError('there is nothing to judge');
  if (another === undefined && first.namespace === undefined) return first.diagnosis;
  const longest = judged.reduce((one, other) =>
    other.diagnosis.watchedMs > one.diagnosis.watchedMs ? other : one,
  );
  const gapsBetweenLooks = judged.flatMap(({ diagnosis }) => diagnosis.apartMs ?? []);
  const own = judged.find(({ namespace }) => namespace === undefined) ?? first;
  return {
    origin: own.diagnosis.origin,
    watchedMs: longest.diagnosis.watchedMs,
    ...(gapsBetweenLooks.length > 0 && { apartMs: millis(Math.max(...gapsBetweenLooks)) }),
    named: joinNamed(judged.map(({ diagnosis }) => diagnosis.named)),
    findings: mergeFindings(judged),
    lookedAt: sumLooked(judged.map(({ diagnosis }) => diagnosis.lookedAt)),
    settings: own.diagnosis.settings,
    namespaces: judged.length,
    gaps: mergeGaps(judged),
    ...(judged.some(({ diagnosis }) => diagnosis.isPartial) && { isPartial: true as const }),
  };
}

/** What the kernel counts for all namespaces together (KERNEL.md 7). */
const OF_HOST: ReadonlySet<Rule> = new Set(['memory_pressure', 'orphans']);

/** Each with the values of the settings of its own namespace. What is of the whole host, or of a process, is said once. */
function mergeFindings(judged: readonly Judged[]): DiagnosisFinding[] {
  const found = new Map<string, { finding: DiagnosisFinding; times: number }>();
  // A namespace that was made anew under its name is judged twice, and has the same name or none.
  for (const [part, { diagnosis, namespace }] of judged.entries()) {
    for (const [at, finding] of diagnosis.findings.entries()) {
      const { local, remote, owner } = finding.about;
      const isOfNoSocket = local === undefined && remote === undefined;
      const isShared = isOfNoSocket && (owner !== undefined || OF_HOST.has(finding.rule));
      const key = isShared ? `${finding.rule}\0${finding.subject}\0${finding.message}` : `${part} ${at}`;
      const known = found.get(key);
      if (known !== undefined) known.times++;
      else
        found.set(key, {
          finding: { ...finding, values: diagnosis.settings, ...(namespace && { namespace }) },
          times: 1,
        });
    }
  }
  const rank = ({ severity }: DiagnosisFinding) => severityRank(severity);
  return [...found.values()]
    .map(({ finding, times }) => {
      if (times === 1) return finding;
      const { namespace: _, ...rest } = finding;
      return { ...rest, message: `${finding.message} (in ${times} namespaces)` };
    })
    .sort((a, b) => rank(b) - rank(a));
}

const joinNamed = (all: readonly Named[]): Named => ({
  owners: all.flatMap(({ owners }) => owners),
  ends: all.flatMap(({ ends }) => ends),
  homes: all.flatMap(({ homes }) => homes),
  devices: [...new Set(all.flatMap(({ devices }) => devices))],
});

function sumLooked(all: readonly LookedAt[]): LookedAt {
  const sum = (name: keyof LookedAt) => all.reduce((total, one) => total + one[name], 0);
  const most = (name: keyof LookedAt) => Math.max(...all.map((one) => one[name]));
  return {
    looks: most('looks'),
    listeners: sum('listeners'),
    connections: sum('connections'),
    udp: sum('udp'),
    unix: sum('unix'),
    processes: sum('processes'),
    counters: sum('counters'),
    settings: sum('settings'),
    rules: most('rules'),
  };
}

/** What is missing in one namespace names it; what is missing in several is said once. */
function mergeGaps(judged: readonly Judged[]): Gap[] {
  const known = new Map<string, { readonly gap: Gap; readonly of: (Namespace | undefined)[] }>();
  for (const { diagnosis, namespace } of judged) {
    for (const gap of diagnosis.gaps) {
      const key = `${gap.what}\0${gap.why}\0${gap.line ?? ''}`;
      const entry = known.get(key);
      if (entry === undefined) known.set(key, { gap, of: [namespace] });
      else entry.of.push(namespace);
    }
  }
  return [...known.values()].map(({ gap, of }) => {
    const [only] = of;
    const all = of.flatMap((one) => one ?? []);
    const places = all.length === of.length ? { of: all } : {};
    if (of.length > 1) return { ...gap, why: `${gap.why} (in ${of.length} namespaces)`, ...places };
    return only === undefined
      ? gap
      : { ...gap, what: `netns ${namespaceLabel(only)}: ${gap.what}`, ...places };
  });
}
