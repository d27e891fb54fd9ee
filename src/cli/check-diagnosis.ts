import type { CheckWish } from '../analyze/check/measure.js';
import { isSelected } from '../analyze/check/selection.js';
import { diagnose } from '../analyze/diagnose.js';
import { DEFAULT_THRESHOLDS } from '../analyze/thresholds.js';
import type { Measure } from '../model/check.js';
import type { DiagnosisFinding } from '../model/diagnosis.js';
import { type Rule, severityRank } from '../model/findings.js';
import type { ListenerReport } from '../model/listener.js';
import type { Gap, Observation } from '../model/observation.js';
import type { SocketRow } from '../model/socket-row.js';
import { DiagnosisWatch } from '../watch/diagnosis.js';
import { descriptorsOf } from './descriptors.js';

/** What `diagnose` finds in the looks of one check, as measures: the worst of each rule. */
export class CheckDiagnosis {
  private readonly watch: DiagnosisWatch;

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
    this.watch = new DiagnosisWatch({ thresholds: DEFAULT_THRESHOLDS, oneLook }, filter);
  }

  take(observation: Observation): void {
    this.watch.take(observation);
  }

  /** 1: a warning, 2: critical. What is only information is left out. */
  measures(): { readonly measures: readonly Measure[]; readonly gaps: readonly Gap[] } {
    const unread: Gap[] = [];
    const { proc, watch } = this;
    const descriptors = proc === undefined ? undefined : descriptorsOf(watch.pids(), proc, unread);
    const facts = watch.facts(descriptors && { descriptors });
    if (facts === undefined)
      return {
        measures: [
          { metric: 'diagnosis', subject: '', unknown: 'no look', text: 'no look at all connections' },
        ],
        gaps: [],
      };
    const { findings, gaps } = diagnose({ ...facts, gaps: [...facts.gaps, ...unread] });
    const byRule = new Map<Rule, DiagnosisFinding[]>();
    for (const finding of findings)
      if (finding.severity !== 'info')
        byRule.set(finding.rule, [...(byRule.get(finding.rule) ?? []), finding]);
    if (byRule.size === 0) return { measures: [nothingWrong(facts.looks)], gaps };
    return { measures: [...byRule].map(([rule, all]) => asMeasure(rule, all)), gaps };
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
function asMeasure(rule: Rule, findings: readonly DiagnosisFinding[]): Measure {
  const [worst] = findings;
  const more = findings.length - 1;
  return {
    metric: 'diagnosis',
    subject: rule,
    value: severityRank(worst?.severity ?? 'info'),
    text: `${worst?.message}${more > 0 ? `, and ${more} more like it` : ''}${worst?.causedBy === undefined ? '' : ` (because of ${worst.causedBy})`}`,
    ...(worst?.advice && { advice: worst.advice }),
  };
}
