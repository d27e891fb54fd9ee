import { type Finding, severityRank, VERDICTS, type Verdict } from '../model/findings.js';
import { depthOf, explain } from './diagnose/causes.js';
import type { Draft, Facts, RuleSpec } from './facts.js';
import { LISTENER_RULES } from './rules.js';

export interface Judgement {
  readonly verdict: Verdict;
  /** Worst first; what another explains behind it. */
  readonly findings: readonly Finding[];
}

const verdictRank = (verdict: Verdict): number => VERDICTS.indexOf(verdict);

/** Applies every rule to the facts of one listener. The verdict is the worst that a finding leads to. */
export function judge(facts: Facts): Judgement {
  const found = LISTENER_RULES.flatMap((spec) => {
    const draft = spec.judge(facts);
    return draft === undefined ? [] : [{ spec, draft, verdict: draft.verdict ?? spec.verdict }];
  });
  if (found.length === 0) return NOTHING;
  const worst = found.reduce((a, b) => (verdictRank(b.verdict) > verdictRank(a.verdict) ? b : a));
  const { key, local } = facts.listener;
  const explained = explain(
    found.map(({ spec, draft, verdict }) => ({ ...toFinding(spec, draft, key), verdict, about: { local } })),
  );
  const worstFirst = [...explained].sort(
    (a, b) =>
      severityRank(b.severity) - severityRank(a.severity) ||
      depthOf(a, explained) - depthOf(b, explained) ||
      verdictRank(b.verdict) - verdictRank(a.verdict),
  );
  return {
    verdict: worst.verdict,
    findings: worstFirst.map(({ verdict: _, about: __, ...finding }) => finding),
  };
}

const NOTHING: Judgement = { verdict: 'ok', findings: [] };

const toFinding = ({ rule }: RuleSpec, { verdict: _, ...draft }: Draft, subject: string): Finding => ({
  rule,
  subject,
  ...draft,
});
