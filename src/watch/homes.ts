import type { Listener } from '../model/listener.js';
import type { Home, Namespace } from '../model/namespace.js';
import type { TableObservation } from '../model/observation.js';

/** Listeners with the names of their namespace, and with where their processes live. */
export function placeListeners(
  listeners: readonly Listener[],
  { namespace, homes }: Pick<TableObservation, 'namespace' | 'homes'>,
): readonly Listener[] {
  if (namespace === undefined && (homes === undefined || homes.size === 0)) return listeners;
  const ofNamespace = namespace && homeOfAll(namespace);
  return listeners.map((listener): Listener => {
    const { owners = [] } = listener;
    const pids = owners.map(({ pid }) => pid).sort((a, b) => a - b);
    // Of a namespace that several containers share, a pod's, only the process tells which.
    const found = pids.map((pid) => homes?.get(pid)).find((one) => one !== undefined);
    const { mountNamespace, ...lives } = found ?? {};
    // A process of another namespace may hold it, which lives nowhere.
    const isElsewhere = found === undefined && homes !== undefined && owners.length > 0;
    // Mounts alone do not say where it lives.
    const place = Object.keys(lives).length > 0 ? lives : isElsewhere ? undefined : ofNamespace;
    const home =
      mountNamespace === undefined && place === undefined
        ? undefined
        : { ...place, ...(mountNamespace !== undefined && { mountNamespace }) };
    return { ...listener, ...(namespace && { namespace }), ...(home && { home }) };
  });
}

/** Where whoever lives in the namespace lives, known or not; nothing where others are there too. */
function homeOfAll({ container, containers, pod, unit }: Namespace): Home | undefined {
  const one = containers === undefined ? container : undefined;
  if (one === undefined && pod === undefined && unit === undefined) return undefined;
  return {
    ...(one && { container: one }),
    ...(pod !== undefined && { pod }),
    ...(unit !== undefined && { unit }),
  };
}
