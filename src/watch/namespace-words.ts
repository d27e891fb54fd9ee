import { HOST } from '../analyze/host-rules.js';
import type { Change } from '../model/changes.js';
import type { Alert, Finding } from '../model/findings.js';
import { type Namespace, namespaceLabel } from '../model/namespace.js';
import type { Gap, Origin } from '../model/observation.js';
import type { Report } from '../model/report.js';
import { distinctGaps } from './host.js';

/** Whose words they are. Of our own namespace they stay as they are. */
interface Speaker {
  readonly namespace: Namespace;
  readonly isForeign: boolean;
}

/** `netns web`. Raw: renderers clean it. */
export const textOf = (namespace: Namespace): string => `netns ${namespaceLabel(namespace)}`;

/** Of what is said of a whole namespace that is not our own. */
export const subjectOf = (id: string): string => `netns ${id}`;

/** What is said of a whole namespace must name it: there are several. */
export function findingOf({ namespace, isForeign }: Speaker, finding: Finding): Finding {
  if (!isForeign || finding.subject !== HOST) return finding;
  return {
    ...finding,
    subject: subjectOf(namespace.id),
    message: `${textOf(namespace)}: ${finding.message}`,
  };
}

/** The same address may be a listener in each of them. */
export function alertOf(speaker: Speaker, alert: Alert): Alert {
  const { namespace, isForeign } = speaker;
  if (!isForeign) return { ...alert, netns: namespace.id };
  const finding = findingOf(speaker, alert.finding);
  const ofHost = alert.finding.subject === HOST;
  return {
    ...alert,
    id: `${finding.rule} ${finding.subject}`,
    finding,
    subjectText: ofHost ? textOf(namespace) : `${alert.subjectText} (${textOf(namespace)})`,
    netns: namespace.id,
  };
}

export const changeOf = ({ namespace, isForeign }: Speaker, change: Change): Change =>
  isForeign ? { ...change, subjectText: `${change.subjectText} (${textOf(namespace)})` } : change;

/** What went with it. @param last its last report */
export const goneChange = (namespace: Namespace, last: Report | undefined, { time }: Origin): Change => ({
  kind: 'namespace',
  time,
  netns: namespace.id,
  namespace,
  isEnd: true,
  subject: namespace.id,
  subjectText: textOf(namespace),
  message: `went${last === undefined ? '' : `, with ${listenersText(last)}`}`,
  evidence: [],
});

export function listenersText({ listeners }: Report): string {
  if (listeners.length === 0) return 'no listeners';
  return listeners.length === 1 ? '1 listener' : `${listeners.length} listeners`;
}

/** What is missing in one namespace names it; what is missing in several is said once. */
export function mergeGaps(
  ofAll: readonly Gap[],
  parts: readonly (Speaker & { readonly report: Report })[],
): readonly Gap[] {
  const places = new Map<string, { readonly gap: Gap; readonly of: Namespace[]; readonly isOwn: boolean }>();
  for (const { namespace, isForeign, report } of parts) {
    for (const gap of report.gaps) {
      const id = `${gap.what}\0${gap.why}\0${gap.line ?? ''}`;
      const known = places.get(id);
      if (known === undefined) places.set(id, { gap, of: [namespace], isOwn: !isForeign });
      else known.of.push(namespace);
    }
  }
  const merged = [...places.values()].map(({ gap, of, isOwn }) => {
    const [only, another] = of;
    if (another !== undefined) return { ...gap, why: `${gap.why} (in ${of.length} namespaces)`, of };
    return isOwn || only === undefined
      ? { ...gap, of }
      : { ...gap, what: `${textOf(only)}: ${gap.what}`, of };
  });
  return distinctGaps([...ofAll, ...merged]);
}
