import { ParseError } from '../model/errors.js';
import { type Finding, type Rule, type RuleLimits, type Severity, severityRank } from '../model/findings.js';
import { asUsage } from './flags.js';

/** What a command can find, and what may be given to its `--fail-on`. */
interface Choices {
  readonly rules: readonly Rule[];
  /** The mildest first. */
  readonly severities: readonly Severity[];
}

/** Reads `--fail-on warning` or `--fail-on pool_exhausted,close-wait-leak`; nothing where it was not given. Throws UsageError. */
export const readRuleLimits = (list: string | undefined, choices: Choices): RuleLimits | undefined =>
  list === undefined ? undefined : asUsage(() => parseLimits(list, choices));

function parseLimits(list: string, { rules, severities }: Choices): RuleLimits {
  const expected = `${severities.join(', ')} or some of ${rules.join(', ')}`;
  const words = list
    .split(',')
    .map((word) => word.trim().toLowerCase().replaceAll('-', '_'))
    .filter((word) => word !== '');
  // A variable that is empty in a script must not make a check that never fails.
  if (words.length === 0) throw new ParseError('--fail-on', expected, list);
  const wanted = new Set<Rule>();
  const levels: number[] = [];
  for (const word of words) {
    const rule = rules.find((name) => name === word);
    const level = severities.indexOf(word as Severity);
    if (rule !== undefined) wanted.add(rule);
    else if (level >= 0) levels.push(level);
    else throw new ParseError('--fail-on', expected, word);
  }
  const severity = severities[Math.min(...levels)];
  return { rules: wanted, ...(severity && { severity }) };
}

/** Whether `--fail-on` is met. */
export const isMet = (
  findings: readonly Pick<Finding, 'rule' | 'severity'>[],
  { rules, severity }: RuleLimits,
): boolean =>
  findings.some(
    (finding) =>
      rules.has(finding.rule) ||
      (severity !== undefined && severityRank(finding.severity) >= severityRank(severity)),
  );
