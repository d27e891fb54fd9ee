import type { RuleSpec } from './facts.js';
import { judgeBurst, judgeSlow, judgeStopped } from './rules-acceptor.js';
import {
  judgeFdLimit,
  judgeFilling,
  judgeFull,
  judgeOldestWait,
  judgeOverflow,
  judgeSmallBacklog,
  judgeUnixFull,
  judgeUnknownLimit,
} from './rules-queue.js';
import { judgeDropped, judgeSynQueue } from './rules-syn.js';
import { judgeDownstream, judgeOwnLimit, judgeThreads } from './rules-threads.js';

/** All rules for one listener, and the verdict that each leads to: the worst of those that apply is the listener's. */
export const LISTENER_RULES: readonly RuleSpec[] = [
  { rule: 'accept_queue_overflow', verdict: 'overflowing', judge: judgeOverflow },
  { rule: 'fd_limit', verdict: 'fd_limit', judge: judgeFdLimit },
  { rule: 'threads_blocked', verdict: 'stopped_acceptor', judge: judgeThreads },
  { rule: 'threads_busy', verdict: 'stopped_acceptor', judge: judgeDownstream },
  { rule: 'connection_limit', verdict: 'stopped_acceptor', judge: judgeOwnLimit },
  { rule: 'stopped_acceptor', verdict: 'stopped_acceptor', judge: judgeStopped },
  { rule: 'accept_queue_full', verdict: 'full', judge: judgeFull },
  { rule: 'unix_queue_full', verdict: 'full', judge: judgeUnixFull },
  { rule: 'slow_acceptor', verdict: 'slow_acceptor', judge: judgeSlow },
  { rule: 'syn_queue_full', verdict: 'syn_queue_full', judge: judgeSynQueue },
  { rule: 'small_backlog', verdict: 'small_backlog', judge: judgeSmallBacklog },
  { rule: 'accept_queue_filling', verdict: 'filling', judge: judgeFilling },
  { rule: 'oldest_wait', verdict: 'filling', judge: judgeOldestWait },
  { rule: 'dropped_segments', verdict: 'burst', judge: judgeDropped },
  { rule: 'burst', verdict: 'burst', judge: judgeBurst },
  { rule: 'unknown_limit', verdict: 'unknown_limit', judge: judgeUnknownLimit },
];
