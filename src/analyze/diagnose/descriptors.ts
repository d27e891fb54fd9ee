import type { DiagnosisFacts } from '../../model/diagnosis.js';
import { evidence } from '../evidence.js';
import { count, ownerText, percent } from '../words.js';
import type { DiagnosisRule, Found } from './found.js';

/** From here on a burst of connections may reach the limit. */
const NEAR = 0.9;
/** Nobody serves connections with so few: a sandbox has lowered the limit on purpose (setrlimit(2), systemd's LimitNOFILE=0). */
const LEAST_LIMIT = 8;

/** One or two are inherited with high numbers; with more above the limit than this share of it, it was lowered afterwards, on purpose as well. */
const INHERITED = 0.1;

/**
 * Processes at or near RLIMIT_NOFILE. Owners of listeners whose queue waits for it have a finding of their own (rules-queue), which names
 * the listener.
 */
export const descriptorRule: DiagnosisRule = {
  name: 'fd_limit',
  asks: 'open descriptors of processes against their limit',
  needs: ['owners', 'descriptors'],
  judge: (facts) => {
    const told = toldByListeners(facts);
    return (facts.descriptors ?? []).flatMap(({ owner, open, above = 0, limit }): Found[] => {
      const isLowered = limit < LEAST_LIMIT || open > limit || above > limit * INHERITED;
      if (isLowered || open < limit * NEAR || told.has(owner.pid)) return [];
      const name = ownerText([owner]);
      const isFull = open === limit;
      return [
        {
          rule: 'fd_limit',
          severity: isFull ? 'critical' : 'warning',
          sure: 'certain',
          about: { owner },
          message: `${name} has ${count(open)} of ${count(limit)} descriptors open: it can open ${isFull ? 'nothing' : count(limit - open)} more`,
          evidence: [
            evidence(
              'descriptors.open',
              open,
              'descriptors',
              `${percent(open / limit)} of its limit of open files`,
            ),
          ],
          advice: `see what ${name} keeps open (ls -l /proc/${owner.pid}/fd | awk '{print $NF}' | sort | uniq -c): close what it leaks, or raise the limit (LimitNOFILE= of its service, ulimit -n) and restart it`,
        },
      ];
    });
  },
};

const toldByListeners = ({ listeners }: DiagnosisFacts): ReadonlySet<number> =>
  new Set(
    listeners
      .filter(({ findings }) => findings.some(({ rule }) => rule === 'fd_limit'))
      .flatMap(({ listener }) => (listener.owners ?? []).map(({ pid }) => pid)),
  );
