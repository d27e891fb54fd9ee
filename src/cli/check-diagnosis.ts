import type { CheckWish } from '../analyze/check/measure.js';
import { subjectIn } from '../analyze/check/namespaces.js';
import { isSelected } from '../analyze/check/selection.js';
import { diagnoseAll } from '../analyze/diagnose-all.js';
import { DEFAULT_THRESHOLDS } from '../analyze/thresholds.js';
import type { Measure } from '../model/check.js';
import type { DiagnosisFinding } from '../model/diagnosis.js';
import { severityRank } from '../model/findings.js';
import type { ListenerReport } from '../model/listener.js';
import type { Gap, Observation } from '../model/observation.js';
import type { SocketRow } from '../model/socket-row.js';
import { DiagnosisWatches } from '../watch/diagnosis-of-all.js';
import { descriptorsOf } from './descriptors.js';

/** What `diagnose` finds in the looks of one check, as measures: the worst of each rule. */
export class CheckDiagnosis {
  private readonly watch: DiagnosisWatches;

  /** `proc`: where the descriptors of processes are read; not where the looks are of a recording. */
  constructor(
    { rows, selection }: Pick<CheckWish, 'rows' | 'selection'>,
    oneLook: boolean,
    private readonly proc: string | undefined,
  ) {
    const filter = rows && {
      matchesRow: (row: SocketRow) => rows.matchesRow(row),
      matchesListener: (report: ListenerReport) => isSelected(selection, report),
    };
    this.watch = new DiagnosisWatches({ thresholds: DEFAULT_THRESHOLDS, oneLook }, filter);
  }

  take(observation: Observation): void {
    this.watch.take(observation);
  }

  /** 1: a warning, 2: critical. What is only information is left out. */
  measures(): { readonly measures: readonly Measure[]; readonly gaps: readonly Gap[] } {
    const unread: Gap[] = [];
    const { proc, watch } = this;
    const parts = watch.facts(
      proc === undefined ? undefined : (one) => ({ descriptors: descriptorsOf(one.pids(), proc, unread) }),
    );
    const [first, ...others] = parts;
    if (first === undefined)
      return {
        measures: [
          { metric: 'diagnosis', subject: '', unknown: 'no look', text: 'no look at all connections' },
        ],
        gaps: [],
      };
    const { facts } = first;
    const whole = { ...first, facts: { ...facts, gaps: [...watch.gaps, ...facts.gaps, ...unread] } };
    const { findings, gaps, lookedAt } = diagnoseAll([whole, ...others]);
    const bySubject = new Map<string, DiagnosisFinding[]>();
    for (const finding of findings) {
      if (finding.severity === 'info') continue;
      const { rule, namespace } = finding;
      const subject = namespace === undefined ? rule : subjectIn(namespace, rule);
      bySubject.set(subject, [...(bySubject.get(subject) ?? []), finding]);
    }
    if (bySubject.size === 0) return { measures: [nothingWrong(lookedAt.looks)], gaps };
    return { measures: [...bySubject].map(([subject, all]) => asMeasure(subject, all)), gaps };
  }
}

/** One look tells of no rates, growth or retries: that it shows nothing is no good news. */
const nothingWrong = (looks: number): Measure =>
  looks > 1
    ? { metric: 'diagnosis', subject: '', value: 0, text: 'diagnose finds nothing wrong' }
    : {
        metric: 'diagnosis',
        subject: '',
        unknown: 'one look',
        text: 'one look alone does not tell whether something is wrong: give it time with --samples 6 --every 1s',
      };

/** Findings come worst first. */
function asMeasure(subject: string, findings: readonly DiagnosisFinding[]): Measure {
  const [worst] = findings;
  const more = findings.length - 1;
  return {
    metric: 'diagnosis',
    subject,
    value: severityRank(worst?.severity ?? 'info'),
    text: `${worst?.message}${more > 0 ? `, and ${more} more like it` : ''}${worst?.causedBy === undefined ? '' : ` (because of ${worst.causedBy})`}`,
    ...(worst?.advice && { advice: worst.advice }),
  };
}
