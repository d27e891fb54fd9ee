import { evidence } from '../evidence.js';
import { count, counted, percent } from '../words.js';
import { type DiagnosisRule, risen } from './found.js';

const NEAR = 0.9;
const BUCKETS = 'net.ipv4.tcp_max_tw_buckets';

/** TIME-WAIT against tcp_max_tw_buckets: beyond it connections end without (KERNEL.md 9). */
export const timeWaitRule: DiagnosisRule = {
  name: 'time_wait_overflow',
  asks: 'TIME-WAIT against its limit',
  needs: [],
  judge: (facts) => {
    const overflows = risen(facts, 'TCPTimeWaitOverflow') ?? 0;
    const { timeWait, maxTimeWait } = facts.stack?.last ?? {};
    const share =
      timeWait === undefined || maxTimeWait === undefined || maxTimeWait <= 0 ? 0 : timeWait / maxTimeWait;
    if (overflows === 0 && share < NEAR) return [];
    const { outbound, inbound } = facts.seen.timeWait;
    return [
      {
        rule: 'time_wait_overflow',
        severity: overflows > 0 ? 'warning' : 'info',
        sure: 'certain',
        about: {},
        message:
          overflows > 0
            ? `${counted(overflows, 'connection')} ended without TIME-WAIT: its table was full`
            : `${count(timeWait ?? 0)} of at most ${count(maxTimeWait ?? 0)} TIME-WAIT sockets (${percent(share)})`,
        evidence: [
          ...(overflows > 0
            ? [
                evidence(
                  'TCPTimeWaitOverflow',
                  overflows,
                  'connections',
                  `TCPTimeWaitOverflow of the namespace rose by ${count(overflows)}`,
                ),
              ]
            : []),
          ...(timeWait === undefined
            ? []
            : [
                evidence(
                  'time_wait',
                  timeWait,
                  'sockets',
                  `${counted(timeWait, 'socket')} in TIME-WAIT or orphaned FIN-WAIT-2${maxTimeWait === undefined ? '' : `, at most ${count(maxTimeWait)}`}`,
                ),
              ]),
          evidence(
            'time_wait.sides',
            outbound,
            'sockets',
            `${count(inbound)} of connections that came in (they take no ports), ${count(outbound)} of connections that went out`,
          ),
        ],
        advice:
          inbound > outbound
            ? `let clients close first, or keep connections (HTTP keep-alive); raise ${BUCKETS}, each costs less than a kilobyte`
            : `keep and reuse connections (a pool, HTTP keep-alive); raise ${BUCKETS}, each costs less than a kilobyte`,
        settings: [BUCKETS],
      },
    ];
  },
};
