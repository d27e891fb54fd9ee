import type { Rule, Severity, Verdict } from '../model/findings.js';
import type { ListenerReport } from '../model/listener.js';

export const ROLES = ['ok', 'warning', 'critical', 'info', 'dim', 'title'] as const;
/** What a piece of text means; the colour follows from it, and a mark or a word always says the same. */
export type Role = (typeof ROLES)[number];

/** SGR parameters of the eight colours: yellow against blue, never red against green alone. */
const SGR: Readonly<Record<Role, string>> = {
  ok: '',
  warning: '1;33',
  critical: '1;37;41',
  info: '34',
  dim: '2',
  title: '1',
};

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Whether to colour. No with `--no-color` (`flag` false), NO_COLOR that is not empty (no-color.org), a pipe or a file,
 * and TERM=dumb or none. FORCE_COLOR is not heard: job runners set it, and a pipe stays plain.
 */
export function decideColor(env: Env, isTTY: boolean | undefined, flag?: boolean): boolean {
  if (flag === false || (env.NO_COLOR ?? '') !== '') return false;
  const term = env.TERM ?? '';
  return isTTY === true && term !== '' && term !== 'dumb';
}

export function paint(role: Role, text: string, color: boolean): string {
  return color && SGR[role] !== '' && text !== '' ? `\x1b[${SGR[role]}m${text}\x1b[0m` : text;
}

const MARKS = { none: 'ok', info: 'i', warning: '!', critical: '!!' } as const;
export type Mark = (typeof MARKS)[keyof typeof MARKS] | '?';

/** `ok`, `i`, `!`, `!!`: what a severity looks like without colour. */
export const markOf = (severity: Severity | undefined): Mark => MARKS[severity ?? 'none'];

export const roleOf = (severity: Severity | undefined): Role => severity ?? 'ok';

/** The mark of a listener: `?` where its limit is unknown, for then `ok` would be a guess. */
export const listenerMark = (report: Pick<ListenerReport, 'findings' | 'verdict'>): Mark => {
  const severity = worstSeverity(report);
  return severity === undefined && report.verdict === 'unknown_limit' ? '?' : markOf(severity);
};

/** The worst severity of a listener, `undefined` when nothing was found. */
export const worstSeverity = ({ findings }: Pick<ListenerReport, 'findings'>): Severity | undefined =>
  findings[0]?.severity;

/** `accept_queue_full` and verdicts as words for people: underscores become spaces. */
export const verdictText = (verdict: Verdict): string => verdict.replaceAll('_', ' ');

/** What stands in place of advice under what another finding explains. */
export const becauseText = (cause: Rule | undefined): string =>
  cause === undefined ? '' : `because of ${cause}: mend that first`;
