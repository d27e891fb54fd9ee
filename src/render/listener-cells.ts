import type { Listener, ListenerReport } from '../model/listener.js';
import { containerLabel, type Home, type Namespace } from '../model/namespace.js';
import { namespaceText, redactHome } from './labels.js';
import type { Names } from './names.js';
import { cleanText, formatDuration, formatOwners, formatPercent } from './text.js';

/** The texts of one listener's facts, for every table that shows listeners. `?` is unknown, `-` is none. */
export const listenerCells = {
  local: ({ listener }: ListenerReport, names: Names) =>
    cleanText(names.endpoint(listener.local)) + mountsMark(listener, names),
  owners: ({ listener }: ListenerReport, names: Names) =>
    formatOwners(listener.owners?.map((owner) => names.owner(owner))),
  /** What its namespace is called, and of which container it is where several share that: `host (web)`. */
  netns: ({ listener: { namespace, netns, home } }: ListenerReport, names: Names) =>
    namespace === undefined
      ? (netns ?? '?')
      : namespaceText(namespace, names) + sharedMark(namespace, home, names),
  fill: ({ listener }: ListenerReport) => formatFill(listener),
  /** `129/128`: length and backlog, as ss prints them. */
  queue: ({ listener: { acceptQueue } }: ListenerReport) =>
    `${acceptQueue.length}/${acceptQueue.backlog ?? '?'}`,
  capacity: ({ listener }: ListenerReport) => orUnknown(listener.acceptQueue.capacity),
  oldestWait: ({ listener }: ListenerReport) => formatOldestWait(listener),
  dropped: ({ listener }: ListenerReport) =>
    listener.protocol === 'unix' ? '-' : orUnknown(listener.droppedSegments),
  synRecv: ({ listener }: ListenerReport) => {
    if (listener.protocol === 'unix') return '-';
    return orUnknown(listener.synQueue?.length ?? listener.group?.synQueue?.length) + groupMark(listener);
  },
};

function sharedMark(namespace: Namespace, home: Home | undefined, names: Names): string {
  if (home?.container === undefined || home.container.id === namespace.container?.id) return '';
  const { container } = redactHome(home, names);
  return container === undefined ? '' : ` (${cleanText(containerLabel(container))})`;
}

/** The path of a Unix socket is one of the mount namespace of its process, which is named by its container where it has one. */
function mountsMark({ local, home }: Listener, names: Names): string {
  if (home?.mountNamespace === undefined || local.kind !== 'unix' || !local.path.startsWith('/')) return '';
  const { container } = redactHome(home, names);
  const name = container === undefined ? home.mountNamespace : cleanText(containerLabel(container));
  return ` (mnt ${name})`;
}

const GAUGE_CELLS = 10;

/** `[#####-----]  50%`: the same in every terminal, log and mail. */
function formatFill({ acceptQueue: { fill } }: Listener): string {
  if (fill === undefined) return '?';
  // Rounded up for one waiting connection to be seen, and full only when it is.
  const cells = fill >= 1 ? GAUGE_CELLS : Math.min(GAUGE_CELLS - 1, Math.ceil(fill * GAUGE_CELLS));
  const gauge = `[${'#'.repeat(cells)}${'-'.repeat(GAUGE_CELLS - cells)}]`;
  return `${gauge} ${formatPercent(fill).padStart(4)}`;
}

function formatOldestWait(listener: Listener): string {
  const waiting = listener.waiting ?? listener.group?.waiting;
  if (waiting?.oldestMs !== undefined) return formatDuration(waiting.oldestMs) + groupMark(listener);
  return listener.acceptQueue.length === 0 ? '-' : '?';
}

/** Marks what belongs to all members of a SO_REUSEPORT group (see GROUP_NOTE). */
const groupMark = ({ waiting, synQueue, group }: Listener) =>
  group && waiting === undefined && synQueue === undefined ? '*' : '';

export const GROUP_NOTE = '* of all listeners that share this port (SO_REUSEPORT)';

const orUnknown = (value: number | undefined) => (value === undefined ? '?' : String(value));
