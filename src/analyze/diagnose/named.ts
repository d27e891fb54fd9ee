import type { DiagnosisFacts, Named } from '../../model/diagnosis.js';
import type { Owner } from '../../model/sockets.js';

/** Everything that a sentence about these facts may name: not only what its finding is about, but whoever else holds a listener or waits for it. */
export function namedIn({ listeners, pools, seen, descriptors = [], routes, closed }: DiagnosisFacts): Named {
  const { halfClosed, connecting, unread, unsent, limited, ports } = seen;
  const holders = [...pools.pools, ...halfClosed, ...connecting, ...unread, ...unsent, ...limited, ...ports];
  const groups = closed?.groups ?? [];
  return {
    owners: [
      ...listeners.flatMap(({ listener }) => listener.owners ?? []),
      ...holders.map(({ owner }) => owner).filter((owner): owner is Owner => typeof owner === 'object'),
      ...descriptors.map(({ owner }) => owner),
      ...groups.flatMap(({ owners = [] }) => owners),
    ],
    ends: [
      ...listeners.map(({ listener }) => listener.local),
      ...pools.pools.map(({ end }) => end),
      ...[...unread, ...unsent].flatMap(({ local, remote }) => [local, remote]),
      ...groups.map(({ end }) => end),
    ],
    homes: listeners.flatMap(({ listener }) => (listener.home === undefined ? [] : [listener.home])),
    devices: [...new Set((routes?.routes ?? []).map(({ device }) => device).filter((name) => name !== '*'))],
  };
}
