import { limitRule, unreadRule, unsentRule } from './buffers.js';
import { refusedRule } from './connect-refused.js';
import { timeoutRule } from './connect-timeout.js';
import { descriptorRule } from './descriptors.js';
import type { DiagnosisRule } from './found.js';
import { finWaitRule, lastAckRule, orphanRule } from './half-closed.js';
import { memoryRule } from './memory.js';
import { portRule } from './ports.js';
import { stormRule } from './retry-storm.js';
import { timeWaitRule } from './time-wait.js';

/** The topics of `diagnose`, in the order in which findings of one severity are told. */
export const DIAGNOSIS_RULES: readonly DiagnosisRule[] = [
  descriptorRule,
  portRule,
  memoryRule,
  orphanRule,
  timeWaitRule,
  timeoutRule,
  stormRule,
  refusedRule,
  unreadRule,
  unsentRule,
  limitRule,
  finWaitRule,
  lastAckRule,
];
