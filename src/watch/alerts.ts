import { type Alert, type AlertEvent, type Finding, type Rule, severityRank } from '../model/findings.js';
import type { Origin } from '../model/observation.js';

/** A raised alert, and when (monotonic) its trouble was last there. */
export interface OpenAlert {
  readonly alert: Alert;
  readonly raised: number;
  readonly seen: number;
  readonly quietLooks: number;
  /** When it was last as severe as it says, and looks since. */
  readonly severe: number;
  readonly milderLooks: number;
  /** Looks in a row in which its listener was not there. */
  readonly goneLooks: number;
}

export type AlertBook = ReadonlyMap<string, OpenAlert>;

export const NO_ALERTS: AlertBook = new Map();

export interface AlertLook {
  readonly monotonic: number;
  /** Wall clock, ms. */
  readonly time: number;
  readonly findings: readonly { readonly finding: Finding; readonly subjectText: string }[];
  /** Whether the trouble of an alert is still near its threshold, though no finding says it. */
  readonly holds: (finding: Finding) => boolean;
  readonly isGone: (subject: string) => boolean;
}

/** Quiet for so long, and for so many looks, before an alert clears or becomes milder: it neither flaps nor hides a burst. */
const QUIET_MS = 5000;
const QUIET_LOOKS = 3;
/** A listener may be missed by one look: the kernel's dump is not atomic (KERNEL.md 8). */
const GONE_LOOKS = 2;

/** Worse findings that say the same of the same listener: while their alert is open, the milder one is not shown or raised. */
const COVERED_BY: Partial<Record<Rule, readonly Rule[]>> = {
  accept_queue_filling: ['accept_queue_full', 'unix_queue_full'],
  oldest_wait: ['accept_queue_full', 'unix_queue_full', 'accept_queue_filling'],
};

interface Outcome {
  readonly book: AlertBook;
  /** Worst first. */
  readonly alerts: readonly Alert[];
  readonly events: readonly AlertEvent[];
}

const idOf = (rule: Rule, subject: string) => `${rule} ${subject}`;

/** Raises at once, changes up at once and down slowly, and clears what has been quiet. Findings of severity `info` raise nothing. */
export function advanceAlerts(book: AlertBook, look: AlertLook): Outcome {
  const next = new Map<string, OpenAlert>();
  const events: AlertEvent[] = [];
  const found = new Map(
    look.findings
      .filter(({ finding }) => finding.severity !== 'info')
      .map((item) => [idOf(item.finding.rule, item.finding.subject), item] as const),
  );
  for (const [id, open] of book) {
    const item = found.get(id);
    const followed = item === undefined ? keepQuiet(open, look) : seeAgain(open, item.finding, look);
    if (followed === undefined) events.push(cleared(open, look));
    else next.set(id, followed);
    if (followed !== undefined && followed.alert.finding.severity !== open.alert.finding.severity)
      events.push({ phase: 'changed', time: look.time, alert: followed.alert });
  }
  const isNew = [...found].filter(([id]) => !book.has(id));
  for (const [id, { finding, subjectText }] of coverersFirst(isNew)) {
    if (isCovered(finding, next)) continue;
    const open = raise(id, finding, subjectText, look);
    next.set(id, open);
    events.push({ phase: 'raised', time: look.time, alert: open.alert });
  }
  return { book: next, alerts: listAlerts(next), events };
}

const coverersFirst = <T extends readonly [string, { readonly finding: Finding }]>(
  items: readonly T[],
): T[] => {
  const weight = ([, { finding }]: T) => COVERED_BY[finding.rule]?.length ?? 0;
  return [...items].sort((a, b) => weight(a) - weight(b));
};

const isCovered = ({ rule, subject }: Finding, book: AlertBook): boolean =>
  COVERED_BY[rule]?.some((other) => book.has(idOf(other, subject))) ?? false;

/** What outputs list: open alerts, the worst and then the newest first. */
export function listAlerts(book: AlertBook): Alert[] {
  return [...book.values()]
    .map(({ alert }) => alert)
    .filter(({ finding }) => !isCovered(finding, book))
    .sort(byWeight);
}

/** The worst and then the newest first. */
export const byWeight = (a: Alert, b: Alert): number =>
  severityRank(b.finding.severity) - severityRank(a.finding.severity) || b.changedAt - a.changedAt;

function raise(id: string, finding: Finding, subjectText: string, { time, monotonic }: AlertLook): OpenAlert {
  const alert = { id, finding, subjectText, raisedAt: time, changedAt: time };
  const times = { raised: monotonic, seen: monotonic, severe: monotonic };
  return { alert, ...times, quietLooks: 0, milderLooks: 0, goneLooks: 0 };
}

function seeAgain(open: OpenAlert, finding: Finding, { time, monotonic }: AlertLook): OpenAlert {
  const then = severityRank(open.alert.finding.severity);
  const now = severityRank(finding.severity);
  const seen = { ...open, seen: monotonic, quietLooks: 0, goneLooks: 0 };
  if (now === then) {
    return { ...seen, alert: { ...open.alert, finding }, severe: monotonic, milderLooks: 0 };
  }
  const milderLooks = open.milderLooks + 1;
  const stays = now < then && !isOver(open.severe, milderLooks, monotonic);
  if (stays) {
    const { severity } = open.alert.finding;
    return { ...seen, alert: { ...open.alert, finding: { ...finding, severity } }, milderLooks };
  }
  return { ...seen, alert: { ...open.alert, finding, changedAt: time }, severe: monotonic, milderLooks: 0 };
}

/** `undefined`: it is over. */
function keepQuiet(open: OpenAlert, look: AlertLook): OpenAlert | undefined {
  const { finding } = open.alert;
  if (look.isGone(finding.subject)) {
    const goneLooks = open.goneLooks + 1;
    return goneLooks >= GONE_LOOKS ? undefined : { ...open, goneLooks };
  }
  if (look.holds(finding)) return { ...open, seen: look.monotonic, quietLooks: 0, goneLooks: 0 };
  const quietLooks = open.quietLooks + 1;
  return isOver(open.seen, quietLooks, look.monotonic) ? undefined : { ...open, quietLooks, goneLooks: 0 };
}

const isOver = (since: number, looks: number, monotonic: number) =>
  looks >= QUIET_LOOKS && monotonic - since >= QUIET_MS;

const cleared = ({ alert, raised }: OpenAlert, { time, monotonic }: AlertLook): AlertEvent => ({
  phase: 'cleared',
  time,
  alert,
  lastedMs: Math.max(0, monotonic - raised),
});

/** After the clock has started anew (another boot, a replay): what is open counts from now. */
/** What they are about has gone for good: each of them ends, and that is said. */
export function endAlerts(book: AlertBook, { monotonic, time }: Origin): readonly AlertEvent[] {
  const look = { monotonic, time, findings: [], holds: () => false, isGone: () => true };
  // Not only missed by one look.
  const first = advanceAlerts(book, look);
  return [...first.events, ...advanceAlerts(first.book, look).events];
}

export function rebaseAlerts(book: AlertBook, monotonic: number): AlertBook {
  const rebased = (open: OpenAlert) => ({ ...open, raised: monotonic, seen: monotonic, severe: monotonic });
  return new Map([...book].map(([id, open]) => [id, rebased(open)]));
}
