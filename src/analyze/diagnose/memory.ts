import type { DiagnosisFacts } from '../../model/diagnosis.js';
import { evidence } from '../evidence.js';
import { count, counted, percent } from '../words.js';
import { type DiagnosisRule, risen } from './found.js';

const NEAR = 0.8;

/** Counters of this namespace that move when buffers cost more memory than there may be. */
const COUNTERS = [
  ['TCPMemoryPressures', 'times', 'the host came under memory pressure'],
  ['TCPAbortOnMemory', 'connections', 'connections were reset for lack of memory'],
  ['PruneCalled', 'times', 'receive queues were pruned: a buffer was full'],
  ['RcvPruned', 'segments', 'segments were dropped because a receive buffer was full'],
  ['TCPRcvQDrop', 'segments', 'segments were dropped because no memory was left for the receive queue'],
] as const;

/** TCP buffers of the whole host against tcp_mem. */
export const memoryRule: DiagnosisRule = {
  name: 'memory_pressure',
  asks: 'memory of TCP buffers against tcp_mem',
  needs: ['sockstat'],
  judge: (facts: DiagnosisFacts) => {
    const { memoryPages, memoryLimits } = facts.stack?.last ?? {};
    if (memoryPages === undefined || memoryLimits === undefined) return [];
    const [, pressure, high] = memoryLimits;
    const moved = COUNTERS.flatMap(([name, unit, text]) => {
      const value = risen(facts, name) ?? 0;
      return value === 0 ? [] : [evidence(name, value, unit, `${text} (${name} rose by ${count(value)})`)];
    });
    const entered = moved.some(
      ({ metric }) => metric === 'TCPMemoryPressures' || metric === 'TCPAbortOnMemory',
    );
    if (memoryPages < pressure * NEAR && !entered) return [];
    return [
      {
        rule: 'memory_pressure',
        severity: memoryPages >= pressure || entered ? 'critical' : 'warning',
        sure: 'certain',
        about: {},
        message: `TCP buffers of this host take ${counted(memoryPages, 'page')}: ${percent(memoryPages / pressure)} of where memory pressure begins`,
        evidence: [
          evidence(
            'memory_pages',
            memoryPages,
            'pages',
            `pressure begins at ${count(pressure)} pages, the hard limit is ${count(high)}`,
          ),
          ...moved,
        ],
        advice:
          'find who holds full buffers (sockwatch snapshot --all --sort recvq, and --sort sendq): readers that do not read; then bound the buffers (tcp_rmem, tcp_wmem), or raise net.ipv4.tcp_mem where there is memory to spare',
        settings: ['net.ipv4.tcp_mem', 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'],
      },
    ];
  },
};
