import type { Namespace } from '../../src/model/namespace.js';
import type {
  ClosedObservation,
  NamespacesObservation,
  TableObservation,
} from '../../src/model/observation.js';
import { millis, monotonicMillis, wallMillis } from '../../src/model/units.js';
import { closedBatch, look, type RowSpec } from './table-builder.js';

export const HOST: Namespace = { id: 'ns', name: 'host' };
export const WEB: Namespace = { id: '101', name: 'web', unit: 'web.service' };
export const DB: Namespace = {
  id: '102',
  container: { id: 'a'.repeat(64), name: 'db', runtime: 'docker' },
  pod: 'p1',
};

/** One look into a namespace, as the collector gives it. */
export function into(
  namespace: Namespace,
  atMs: number,
  rows: readonly RowSpec[],
  rest: Partial<TableObservation> = {},
): TableObservation {
  const observation = look(atMs, rows, { namespace, ...rest });
  observation.sockets.sections = [{ from: 0, namespace }];
  return { ...observation, origin: { ...observation.origin, netns: namespace.id } };
}

/** The looks of one round; sockwatch itself is in `HOST`. */
export const all = (
  atMs: number,
  looks: NamespacesObservation['looks'],
  rest: Partial<NamespacesObservation> = {},
): NamespacesObservation => ({
  kind: 'namespaces',
  origin: {
    time: wallMillis(1_700_000_000_000 + atMs),
    monotonic: monotonicMillis(atMs),
    host: 'web-01',
    netns: HOST.id,
    source: 'netlink',
  },
  looks,
  tookMs: millis(5),
  skippedTicks: 0,
  gaps: [],
  ...rest,
});

/** So many connections that came in at port 443 of a namespace, and ended in the second before. */
export const endedIn = (
  { id }: Namespace,
  atMs: number,
  count: number,
  rest: Partial<ClosedObservation> = {},
): ClosedObservation => {
  const rows = Array.from({ length: count }, (_, n) => ({
    state: 'close' as const,
    local: '10.0.0.1:443',
    remote: `10.0.0.9:${4000 + n}`,
    queues: null,
    columns: { closeKind: 0, segmentsOut: 5, segmentsIn: 5, bytesSent: 20, bytesAcked: 21 },
  }));
  const batch = closedBatch(atMs, rows, rest);
  return { ...batch, origin: { ...all(atMs, []).origin, netns: id } };
};
