import { type CheckWish, measure, mergeLooks } from '../analyze/check/measure.js';
import { METRIC_SPECS } from '../analyze/check/metrics.js';
import { type CheckPart, measureAll, subjectIn } from '../analyze/check/namespaces.js';
import { gapsToSay } from '../analyze/hidden-owners.js';
import { DEFAULT_THRESHOLDS } from '../analyze/thresholds.js';
import { ownerText } from '../analyze/words.js';
import { attachListenerOwners } from '../collect/listener-owners.js';
import { observeTimes } from '../collect/observe.js';
import { type CheckItem, type CheckResult, type Measure, type Metric, worstStatus } from '../model/check.js';
import type { CheckLook, Since } from '../model/check-look.js';
import type { CheckState } from '../model/check-state.js';
import { formatEndpoint } from '../model/endpoint.js';
import { SockwatchError } from '../model/errors.js';
import type { HostFacts } from '../model/host-facts.js';
import type { Listener } from '../model/listener.js';
import type {
  ClosedObservation,
  Gap,
  GapObservation,
  LookObservation,
  NamespacesObservation,
  SamplesObservation,
} from '../model/observation.js';
import type { Report } from '../model/report.js';
import { wallMillis } from '../model/units.js';
import { PLAIN_NAMES } from '../render/names.js';
import { judgeMeasures, newsOf, nextHistory } from '../watch/check-memory.js';
import type { NamespaceNews } from '../watch/check-namespaces.js';
import { startWatch, step, type WatchState } from '../watch/step.js';
import { CheckBaseline, stateOf } from './check-baseline.js';
import type { CheckOptions } from './check-options.js';
import type { StateStore } from './check-state.js';
import { endedEarly, unread, unseen } from './check-unseen.js';
import { askedGaps, filterGaps, namespacesIn } from './filter-gaps.js';
import { gapNotes } from './gap-notes.js';

/** What a run saw and how it judged it. */
export interface CheckRun {
  readonly result: CheckResult;
  readonly report: Report;
  readonly facts: HostFacts;
}

/** Share of the time limit that finding names for a problem may take. */
const NAMES_SHARE = 0.3;

/** Looks as often as asked, compares with the run before, judges, and leaves what the next run needs. */
export async function runCheck(
  options: CheckOptions,
  store: StateStore | undefined,
  { signal, owners }: { readonly signal: AbortSignal; readonly owners: boolean },
): Promise<CheckRun> {
  const before = store?.read();
  const looks = await (options.replay === undefined
    ? lookTimes(options, before, observeTimes(options.collect, options, signal))
    : lookAtAll(options, options.replay));
  const judged = judge(looks.measures, options, before);
  const { table } = looks.report.sockets ?? {};
  const isTrouble = judged.some(({ status, row }) => status !== 'ok' && row !== undefined);
  const { filter } = options;
  const asked = askedGaps(gapsToSay(looks.report), filter);
  const gaps: Gap[] = [...asked, ...filterGaps(filter, namespacesIn(looks.report))];
  if (isTrouble && owners && !options.collect.owners && options.replay === undefined && table !== undefined)
    gaps.push(...(await attachListenerOwners(table, options.timeoutMs * NAMES_SHARE, signal)));
  const items = worstFirst(judged.map((item) => withOwner(item, looks.report)));
  return conclude({ ...looks, items, gaps }, options, before, store);
}

/** A whole recording, compared with its own beginning. What reads it is loaded only here. */
async function lookAtAll(options: CheckOptions, path: string): Promise<Looks> {
  const { looksOf } = await import('./recorded-look.js');
  const gaps: Gap[] = [];
  const all = { ...options, samples: Number.POSITIVE_INFINITY };
  const looks = await lookTimes(all, 'first look', looksOf(path, gaps));
  return { ...looks, report: { ...looks.report, gaps: [...gaps, ...looks.report.gaps] } };
}

interface Looks {
  readonly measures: readonly Measure[];
  readonly report: Report;
  readonly facts: HostFacts;
  /** How many there were. */
  readonly looks: number;
  readonly since: Since | undefined;
  /** Why the run before cannot be compared with. */
  readonly note: string | undefined;
  readonly lastLook: LookObservation;
  /** Of several namespaces. */
  readonly news: NamespaceNews | undefined;
}

/** Takes observations one after the other; of each measure the highest is kept. Throws where there is none. */
export async function lookTimes(
  { wish, samples, filter }: Pick<CheckOptions, 'wish' | 'samples'> & Partial<Pick<CheckOptions, 'filter'>>,
  compareWith: CheckState | 'first look' | undefined,
  observations: AsyncIterable<LookObservation | SamplesObservation | ClosedObservation | GapObservation>,
): Promise<Looks> {
  const isRecording = compareWith === 'first look';
  const baseline = new CheckBaseline(isRecording ? undefined : compareWith, isRecording);
  let state: WatchState = startWatch({ thresholds: DEFAULT_THRESHOLDS, oneLook: samples === 1 });
  const diagnosis = wish.metrics.includes('diagnosis')
    ? await openDiagnosis(wish, samples === 1, !isRecording)
    : undefined;
  const measured: Measure[][] = [];
  let last: Pick<Looks, 'report' | 'since' | 'facts' | 'lastLook'> | undefined;
  const interruptions: Gap[] = [];
  let gone: string | undefined;
  for await (const observation of observations) {
    diagnosis?.take(observation);
    if (observation.kind === 'gap') {
      gone = observation.gaps[0]?.why ?? 'a look failed';
      continue;
    }
    const taken = step(state, observation);
    state = taken.state;
    if (observation.kind === 'samples' || observation.kind === 'closed') continue;
    const { report } = taken;
    baseline.begin(report, observation);
    const since = baseline.since(report);
    const whole: CheckLook = { report, facts: factsOf(observation), since };
    measured.push(
      observation.kind === 'table'
        ? measure(whole, wish)
        : [
            ...measureAll(partsOf(observation, state, report, baseline), whole, wish),
            ...unread(observation, wish),
            ...unseen(observation, wish, filter),
          ],
    );
    last = { report, since, facts: whole.facts, lastLook: observation };
    if (gone !== undefined) interruptions.push({ what: 'looks', why: `${gone}, and came back` });
    gone = undefined;
  }
  if (last === undefined) throw new SockwatchError('there was nothing to look at');
  const found = diagnosis?.measures();
  const { report, lastLook } = last;
  const ended = gone === undefined ? [] : [endedEarly(gone, measured.length, wish)];
  return {
    measures: [...mergeLooks(measured), ...(found?.measures ?? []), ...ended],
    looks: measured.length,
    ...last,
    note: baseline.note,
    news: lastLook.kind === 'namespaces' ? baseline.newsOf(lastLook) : undefined,
    report: { ...report, gaps: [...report.gaps, ...interruptions, ...(found?.gaps ?? [])] },
  };
}

/** Of several namespaces those of our own. A recording has none. */
function factsOf(observation: LookObservation): HostFacts {
  if (observation.kind === 'table') return observation.facts ?? {};
  const { looks, origin } = observation;
  const own = looks.find((look) => look.origin.netns === origin.netns);
  return own?.kind === 'table' ? factsOf(own) : {};
}

/** Each namespace with its own report, numbers and past. */
function partsOf(
  { looks, origin, sight }: NamespacesObservation,
  { namespaces }: WatchState,
  whole: Report,
  baseline: CheckBaseline,
): CheckPart[] {
  const sections = whole.sockets?.table.sections ?? [];
  return looks.flatMap((look): CheckPart[] => {
    const id = look.origin.netns ?? '';
    const report = namespaces?.get(id)?.report;
    if (report === undefined || look.kind === 'gap') return [];
    return [
      {
        namespace: look.namespace ?? { id },
        isOwn: id === origin.netns,
        from: sections.find(({ namespace }) => namespace.id === id)?.from ?? 0,
        look: { report, facts: factsOf(look), since: baseline.sinceIn(report, sight) },
      },
    ];
  });
}

/** Loaded only where it is asked for: most checks run from cron and measure one queue. */
async function openDiagnosis(wish: CheckWish, oneLook: boolean, isHere: boolean) {
  const { CheckDiagnosis } = await import('./check-diagnosis.js');
  return new CheckDiagnosis(wish, oneLook, isHere ? '/proc' : undefined);
}

const judge = (
  measures: readonly Measure[],
  { limits, persistence }: CheckOptions,
  before: CheckState | undefined,
) => judgeMeasures(measures, limitsOf(limits), before?.history ?? new Map(), persistence);

const limitsOf =
  (limits: CheckOptions['limits']) =>
  ({ metric }: Measure) => ({ limits: limits.get(metric) ?? {}, isPercent: METRIC_SPECS[metric].isPercent });

const ORDER = ['critical', 'warning', 'unknown', 'ok'];

/** Within one status: the fullest first. */
function worstFirst(items: readonly CheckItem[]): CheckItem[] {
  const share = ({ value = 0, capacity = 1 }: CheckItem) => value / capacity;
  const metric = (name: Metric) => Object.keys(METRIC_SPECS).indexOf(name);
  return [...items].sort(
    (a, b) =>
      ORDER.indexOf(a.status) - ORDER.indexOf(b.status) ||
      metric(a.metric) - metric(b.metric) ||
      Number(a.isEffect ?? false) - Number(b.isEffect ?? false) ||
      share(b) - share(a) ||
      (a.subject < b.subject ? -1 : 1),
  );
}

function withOwner(item: CheckItem, report: Report): CheckItem {
  const table = report.sockets?.table;
  if (item.row === undefined || table === undefined) return item;
  const found = report.listeners.find(({ listener }) => isAbout(item, listener, report));
  const owners = found && (found.listener.owners ?? table.ownersAt(found.listener.row));
  return owners === undefined || owners.length === 0 ? item : { ...item, owner: ownerText(owners) };
}

function isAbout({ subject }: CheckItem, { local, netns, namespace }: Listener, { origin }: Report): boolean {
  const text = formatEndpoint(local);
  const isForeign = namespace !== undefined && netns !== origin.netns;
  return subject === (isForeign ? subjectIn(namespace, text) : text);
}

function conclude(
  {
    items: judged,
    gaps,
    report,
    facts,
    since,
    note,
    looks,
    lastLook,
    news: namespaces,
  }: Looks & { items: readonly CheckItem[]; gaps: readonly Gap[] },
  options: CheckOptions,
  before: CheckState | undefined,
  store: StateStore | undefined,
): CheckRun {
  const { origin } = report;
  const { news, told } = newsOf(judged, before?.told, origin.time, options.renotifyMs);
  store?.write({
    ...stateOf(report, lastLook, options.id),
    history: nextHistory(judged, before?.history ?? new Map(), options.persistence),
    told,
  });
  // Where the runs before cannot be kept, --for would wait for ever.
  const isForgetful = store?.hasFailed === true && options.persistence.of > 1;
  const items = isForgetful ? judged.map((item) => ({ ...item, status: item.raw })) : judged;
  const result: CheckResult = {
    // Nothing that was measured is no OK.
    status: items.length === 0 ? 'unknown' : worstStatus(items.map(({ status }) => status)),
    time: wallMillis(origin.time),
    host: origin.host,
    ...(origin.netns !== undefined && { netns: origin.netns }),
    ...(origin.bootId !== undefined && { bootId: origin.bootId }),
    source: origin.source,
    samples: looks,
    ...(since !== undefined && { windowMs: since.windowMs }),
    ...(since?.whileLooking && { whileLooking: true as const }),
    items,
    news,
    ...(namespaces !== undefined && { namespaces: { came: namespaces.came, went: namespaces.went } }),
    // What a look and a diagnosis both miss is said once.
    notes: [
      ...new Set([
        ...(note === undefined ? [] : [note]),
        ...(namespaces?.notes ?? []),
        ...(store?.notes ?? []),
        ...gapNotes(gaps, PLAIN_NAMES),
      ]),
    ],
  };
  return { result, report, facts };
}
