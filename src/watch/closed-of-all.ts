import type { ClosedReport } from '../model/closed.js';
import { millis, perSecond } from '../model/units.js';

/** What ended in each of several namespaces as one report: each group says where it was. `undefined`: nobody tells of any. */
export function mergeClosed(reports: readonly ClosedReport[]): ClosedReport | undefined {
  const [first] = reports;
  if (first === undefined) return undefined;
  const sum = (of: (report: ClosedReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0);
  /** Of those that are known: of a namespace that has just come there is no window yet. */
  const rate = (name: 'closedPerSecond' | 'failedConnectsPerSecond') => {
    const known = reports.flatMap((report) => report[name] ?? []);
    return known.length === 0 ? {} : { [name]: perSecond(known.reduce((total, one) => total + one, 0)) };
  };
  /** Unknown where it is unknown of one. */
  const count = (name: 'lost' | 'lostInWindow') => {
    const all = reports.map((report) => report[name]);
    return all.includes(undefined) ? {} : { [name]: sum((report) => report[name] ?? 0) };
  };
  return {
    from: reports.some(({ from }) => from === 'netlink') ? 'netlink' : first.from,
    sinceMs: millis(Math.max(...reports.map(({ sinceMs }) => sinceMs))),
    groups: reports.flatMap(({ groups }) => groups),
    ofSeveral: true,
    closed: sum(({ closed }) => closed),
    ...rate('closedPerSecond'),
    inbound: sum(({ inbound }) => inbound),
    outbound: sum(({ outbound }) => outbound),
    failedConnects: sum(({ failedConnects }) => failedConnects),
    ...rate('failedConnectsPerSecond'),
    failedWithoutDestination: sum(({ failedWithoutDestination }) => failedWithoutDestination),
    unconnected: sum(({ unconnected }) => unconnected),
    ...count('lost'),
    ...count('lostInWindow'),
    incomplete: reports.some(({ incomplete }) => incomplete),
    notShown: sum(({ notShown }) => notShown),
  };
}
