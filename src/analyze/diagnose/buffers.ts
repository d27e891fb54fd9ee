import type { Limited, StuckQueue, StuckSend } from '../../model/diagnosis.js';
import { formatEndpoint } from '../../model/endpoint.js';
import type { Severity } from '../../model/findings.js';
import { evidence } from '../evidence.js';
import { count, counted, duration, percent } from '../words.js';
import { type DiagnosisRule, endOf, type Found, ownerOf, towards, whoText } from './found.js';

const LEAST = { looks: 3, ms: 1000 };
/** Less is what connections leave behind: session tickets of TLS, a greeting, a farewell that nobody waits for. */
const MUCH = 16_384;
const HALF = 0.5;

const lasts = ({ looks, forMs }: StuckQueue): boolean => looks >= LEAST.looks && forMs >= LEAST.ms;

/** Bytes came in and the process read none of them at any look: what it read is what came in and is not queued any more. */
export const unreadRule: DiagnosisRule = {
  name: 'app_not_reading',
  asks: 'data that processes do not read',
  needs: ['looks'],
  judge: ({ seen }) =>
    groupsOf(seen.unread.filter((queue) => lasts(queue) && isStill(queue))).map((queues): Found => {
      const [first] = queues as [StuckQueue];
      const { owner, direction } = first;
      const most = queues.reduce((a, b) => (b.bytes > a.bytes ? b : a));
      const grows = queues.some(({ bytes, firstBytes }) => bytes > firstBytes);
      const end = direction === 'inbound' ? first.local : first.remote;
      const severity: Severity = most.bytes >= MUCH || grows ? 'warning' : 'info';
      return {
        rule: 'app_not_reading',
        severity,
        sure: first.moved === undefined ? 'suspected' : 'certain',
        about: { ...endOf(direction, end), ...ownerOf(owner) },
        message: `${whoText(owner)} does not read from ${counted(queues.length, 'connection')} ${towards(direction, end)}: ${waitingBytes(most, queues)}`,
        evidence: [
          evidence(
            'unread',
            most.bytes,
            'bytes',
            `Recv-Q of ${formatEndpoint(most.remote)} was ${count(most.firstBytes)} and is ${count(most.bytes)}; ${first.moved === undefined ? 'it never fell' : 'not one byte was read'} in ${duration(most.forMs)} (${count(most.looks)} looks)`,
          ),
          ...(most.lastReceivedMs === undefined
            ? []
            : [
                evidence(
                  'last_received',
                  most.lastReceivedMs / 1000,
                  'seconds',
                  `the newest of these data came ${duration(most.lastReceivedMs)} ago`,
                ),
              ]),
        ],
        advice:
          severity === 'info'
            ? `nothing, where these connections lie idle (a farewell or a session ticket that is read with the next answer); else see what ${whoText(owner)} does instead of reading`
            : `see what ${whoText(owner)} does instead of reading: a blocked event loop, a lock, a consumer behind it that is slow (a stack dump, strace -f -p ${typeof owner === 'object' ? owner.pid : 'PID'})`,
        settings: ['net.ipv4.tcp_rmem'],
      };
    }),
};

const waitingBytes = ({ bytes }: StuckQueue, { length }: readonly StuckQueue[]): string =>
  `${counted(bytes, 'byte')} wait${bytes === 1 ? 's' : ''}${length > 1 ? ' on the fullest' : ''}`;

/** Not a byte left the queue, or it cannot be told and the queue never fell. */
const isStill = ({ moved, bytes, firstBytes }: StuckQueue): boolean =>
  moved === undefined ? bytes >= firstBytes : moved <= 0;

const MOSTLY_ZERO = 1;

/** Bytes written, of which the peer acknowledged none: its window is shut, or it acknowledges nothing at all. */
export const unsentRule: DiagnosisRule = {
  name: 'peer_not_reading',
  asks: 'data that peers do not take',
  needs: ['looks'],
  judge: ({ seen }) => {
    const still = seen.unsent.filter((queue) => lasts(queue) && isStill(queue));
    // A segment that is sent again and again is a peer, or a way to it, that is gone: no reader.
    const waiting = still.filter(
      ({ timer, retransmits, window }) => !(timer === 'on' && retransmits > 0) || window === 0,
    );
    return groupsOf(waiting).map((queues): Found => {
      const [first] = queues as [StuckSend];
      const { owner, direction } = first;
      const most = queues.reduce((a, b) => (b.bytes > a.bytes ? b : a));
      const end = direction === 'inbound' ? first.local : first.remote;
      const shut = queues.filter(({ window }) => window === 0).length;
      const peer = direction === 'inbound' ? `clients of ${formatEndpoint(end)}` : formatEndpoint(end);
      return {
        rule: 'peer_not_reading',
        severity: 'warning',
        sure: shut >= MOSTLY_ZERO ? 'certain' : 'suspected',
        about: { ...endOf(direction, end), ...ownerOf(owner) },
        message: `${peer} ${direction === 'inbound' ? 'do' : 'does'} not take what ${whoText(owner)} wrote on ${counted(queues.length, 'connection')}: ${waitingBytes(most, queues)}`,
        evidence: [
          evidence(
            'unsent',
            most.bytes,
            'bytes',
            `Send-Q to ${formatEndpoint(most.remote)} was ${count(most.firstBytes)} and is ${count(most.bytes)}; nothing was acknowledged in ${duration(most.forMs)} (${count(most.looks)} looks)`,
          ),
          evidence('zero_window', shut, 'connections', windowText(most, shut)),
        ],
        advice:
          shut > 0
            ? `the receiver must read: look there at the Recv-Q of this connection (sockwatch diagnose on its host names the process); a timeout on writing keeps ${whoText(owner)} from waiting for ever`
            : `look at the peer: whether it reads (Recv-Q there), and whether it is still there; a timeout on writing keeps ${whoText(owner)} from waiting for ever`,
        settings: ['net.ipv4.tcp_wmem'],
      };
    });
  },
};

/** A persist timer alone is no zero window (KERNEL.md 7). */
function windowText({ window, timer }: StuckSend, shut: number): string {
  if (shut > 0) return `the window that the peer last announced is 0 on ${counted(shut, 'connection')}`;
  const persist =
    timer === 'persist' ? ', and the persist timer runs, which alone is no proof of a zero window' : '';
  return window === undefined
    ? `this source does not show the window of the peer${persist}`
    : `the peer announced room for ${counted(window, 'byte')}${persist}`;
}

/** Time in which a connection with data to send was held up by the peer's window, or by its own buffer. */
export const limitRule: DiagnosisRule = {
  name: 'receive_window_limited',
  asks: 'time in which windows or buffers held data up',
  needs: ['looks'],
  judge: ({ seen }) => seen.limited.filter(({ share }) => share >= HALF).map(judgeLimit),
};

function judgeLimit({ by, share, owner, direction, end, count: held }: Limited): Found {
  const isWindow = by === 'receive window';
  return {
    rule: isWindow ? 'receive_window_limited' : 'send_buffer_limited',
    severity: 'info',
    sure: 'certain',
    about: { ...endOf(direction, end), ...ownerOf(owner) },
    message: `${counted(held, 'connection')} of ${whoText(owner)} ${towards(direction, end)} ${held === 1 ? 'was' : 'were'} held up by ${isWindow ? "the peer's receive window" : 'their own send buffer'} for ${percent(share)} of the time`,
    evidence: [
      evidence(
        isWindow ? 'rwnd_limited' : 'sndbuf_limited',
        share,
        'ratio',
        `${percent(share)} of the watch, by the kernel's own clock of the connection (tcp_info)`,
      ),
    ],
    advice: isWindow
      ? 'the receiver reads too slowly, or its buffer is too small for this round trip (net.ipv4.tcp_rmem there, SO_RCVBUF in its application)'
      : `let ${whoText(owner)} leave SO_SNDBUF alone, so that the kernel grows the buffer, or raise the third number of net.ipv4.tcp_wmem`,
    settings: [isWindow ? 'net.ipv4.tcp_rmem' : 'net.ipv4.tcp_wmem'],
  };
}

/** Those of one process and end together. */
function groupsOf<Queue extends StuckQueue>(queues: readonly Queue[]): Queue[][] {
  const groups = new Map<string, Queue[]>();
  for (const queue of queues) {
    const { owner, direction, local, remote } = queue;
    const end = formatEndpoint(direction === 'inbound' ? local : remote);
    const key = `${typeof owner === 'object' ? owner.pid : owner} ${direction} ${end}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [queue]);
    else group.push(queue);
  }
  return [...groups.values()];
}
