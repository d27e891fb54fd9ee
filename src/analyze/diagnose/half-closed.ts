import type { DiagnosisFacts, HalfClosed } from '../../model/diagnosis.js';
import { evidence } from '../evidence.js';
import { count, counted, duration, percent } from '../words.js';
import {
  type DiagnosisRule,
  endOf,
  type Found,
  ownerOf,
  risen,
  settingOf,
  towards,
  whoText,
} from './found.js';

const GROWN = 2;
/** Fewer are chance. */
const LEAST = 3;
const ORPHANS_NEAR = 0.8;

/** FIN-WAIT-2 of sockets that a process still holds: it has shut down its side, the peer has not (KERNEL.md 9). */
export const finWaitRule: DiagnosisRule = {
  name: 'fin_wait_2',
  asks: 'FIN-WAIT-2 that processes hold',
  needs: ['looks', 'owners'],
  judge: ({ seen, watchedMs }) =>
    seen.halfClosed.flatMap((group): Found[] => {
      // Without a process the kernel ends them after tcp_fin_timeout.
      if (group.state !== 'fin-wait-2' || typeof group.owner !== 'object' || group.silent < LEAST) return [];
      const { owner, direction, end, silent, asking, growth, oldestMs } = group;
      const mayWait = asking > silent - LEAST;
      return [
        {
          rule: 'fin_wait_2',
          severity: 'warning',
          sure: mayWait ? 'suspected' : growth >= GROWN ? 'likely' : 'certain',
          about: { ...endOf(direction, end), ...ownerOf(owner) },
          message: `${whoText(owner)} has shut down ${counted(silent, 'connection')} ${towards(direction, end)} that the peer does not close${mayWait ? ', or waits for answers to requests that it ended with shutdown(SHUT_WR)' : ''}`,
          evidence: [
            evidence(
              'fin_wait_2',
              group.count,
              'connections',
              `${count(group.count)} in FIN-WAIT-2 with their descriptor open, ${count(silent)} of them for 30 s or longer without a byte from the peer`,
            ),
            ...growthEvidence(group, watchedMs),
            ...(oldestMs === undefined
              ? []
              : [
                  evidence(
                    'fin_wait_2_age',
                    oldestMs / 1000,
                    'seconds',
                    `nothing from the peer of the oldest for ${duration(oldestMs)}`,
                  ),
                ]),
          ],
          advice: `let ${whoText(owner)} close() after shutdown(), or bound how long it waits for the peer; ask the peer why it leaves the connection in CLOSE-WAIT`,
          settings: ['net.ipv4.tcp_fin_timeout'],
        },
      ];
    }),
};

const growthEvidence = ({ growth }: HalfClosed, watchedMs: number) =>
  growth === 0
    ? []
    : [
        evidence(
          'growth',
          growth,
          'connections',
          `${count(Math.abs(growth))} ${growth > 0 ? 'more' : 'fewer'} than ${duration(watchedMs)} before`,
        ),
      ];

/** LAST-ACK and FIN-WAIT-1 whose FIN was sent again and again: the peer does not acknowledge it. */
export const lastAckRule: DiagnosisRule = {
  name: 'last_ack',
  asks: 'peers that do not acknowledge a close',
  needs: ['looks'],
  judge: ({ seen }) =>
    seen.halfClosed.flatMap((group): Found[] => {
      const { state, unanswered, direction, end, stuck } = group;
      if (state === 'fin-wait-2' || stuck === 0 || unanswered < LEAST) return [];
      return [
        {
          rule: 'last_ack',
          severity: 'info',
          sure: 'likely',
          about: { ...endOf(direction, end), ...ownerOf(group.owner) },
          message: `${counted(unanswered, 'closed connection')} ${towards(direction, end)} wait in ${state.toUpperCase()}: their peers acknowledge nothing`,
          evidence: [
            evidence(
              'unanswered',
              unanswered,
              'connections',
              `the last segments of ${count(unanswered)} of ${count(group.count)} were sent again twice or more`,
            ),
          ],
          advice:
            'see whether these peers, or a firewall or balancer between, have forgotten the connections (an idle timeout on the way); the kernel gives up by itself',
        },
      ];
    }),
};

/** Sockets that no process holds any more, against the limit of the host. */
export const orphanRule: DiagnosisRule = {
  name: 'orphans',
  asks: 'orphaned sockets against their limit',
  needs: ['sockstat'],
  judge: (facts: DiagnosisFacts) => {
    const { orphans, maxOrphans } = facts.stack?.last ?? {};
    const aborted = risen(facts, 'TCPAbortOnMemory') ?? 0;
    if (orphans === undefined || maxOrphans === undefined || maxOrphans <= 0) return [];
    const share = orphans / maxOrphans;
    if (share < ORPHANS_NEAR) return [];
    return [
      {
        rule: 'orphans',
        severity: aborted > 0 || share >= 1 ? 'critical' : 'warning',
        sure: 'certain',
        about: {},
        message: `${counted(orphans, 'orphaned socket')} of at most ${count(maxOrphans)} on this host (${percent(share)})`,
        evidence: [
          evidence(
            'orphans',
            orphans,
            'sockets',
            'closed by their processes, with data or a FIN that no peer has acknowledged',
          ),
          ...(aborted > 0
            ? [
                evidence(
                  'TCPAbortOnMemory',
                  aborted,
                  'connections',
                  `${counted(aborted, 'connection')} of this namespace were reset for lack of memory or too many orphans meanwhile`,
                ),
              ]
            : []),
        ],
        advice: `see which peers do not take their last data (sockwatch snapshot --all --filter state:fin-wait-1,last-ack,closing); a lower net.ipv4.tcp_orphan_retries ends them sooner, a higher net.ipv4.tcp_max_orphans (${settingOf(facts, 'net.ipv4.tcp_max_orphans') ?? maxOrphans} now) costs memory`,
        settings: ['net.ipv4.tcp_max_orphans', 'net.ipv4.tcp_fin_timeout'],
      },
    ];
  },
};
