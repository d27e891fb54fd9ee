import type { Listener } from '../model/listener.js';
import type { Home } from '../model/namespace.js';
import type { TableObservation } from '../model/observation.js';

/** Listeners with the names of their namespace, and with where their processes live. */
export function placeListeners(
  listeners: readonly Listener[],
  { namespace, homes }: Pick<TableObservation, 'namespace' | 'homes'>,
): readonly Listener[] {
  if (namespace === undefined && (homes === undefined || homes.size === 0)) return listeners;
  const { container, pod, unit } = namespace ?? {};
  const ofNamespace: Home | undefined =
    container === undefined && pod === undefined && unit === undefined
      ? undefined
      : {
          ...(container && { container }),
          ...(pod !== undefined && { pod }),
          ...(unit !== undefined && { unit }),
        };
  return listeners.map((listener): Listener => {
    const pids = (listener.owners ?? []).map(({ pid }) => pid).sort((a, b) => a - b);
    // Of a namespace that several containers share, a pod's, only the process tells which.
    const found = pids.map((pid) => homes?.get(pid)).find((one) => one !== undefined);
    const { mountNamespace, ...lives } = found ?? {};
    // Mounts alone do not say where it lives.
    const place = Object.keys(lives).length > 0 ? lives : ofNamespace;
    const home =
      mountNamespace === undefined && place === undefined
        ? undefined
        : { ...place, ...(mountNamespace !== undefined && { mountNamespace }) };
    return { ...listener, ...(namespace && { namespace }), ...(home && { home }) };
  });
}
