import { ParseError } from '../model/errors.js';
import { OUTCOMES, type Outcome } from '../model/trace.js';
import { TRACE_RULES } from '../model/trace-findings.js';
import type { TraceSummary } from '../model/trace-summary.js';

/** A condition under which a command ends with status 1. */
export interface FailOn {
  readonly text: string;
  readonly isMet: (summary: TraceSummary) => boolean;
}

const ALIASES: Readonly<Record<string, Outcome>> = { reset: 'reset_in_handshake', 'timed-out': 'timed_out' };
const RULE_ALIASES: Readonly<Record<string, string>> = { overflow: 'accept_queue_overflow' };
const RATE = /^retransmissions>(\d{1,3}(?:\.\d+)?)%$/;
const COUNT = /^([a-z_-]+)>(\d{1,12})$/;

/** Reads `refused,timed-out,overflow,retransmissions>1%,half-open>10`; nothing where the flag is not given. @throws ParseError */
export function parseFailOn(list: string | undefined): readonly FailOn[] {
  if (list === undefined) return [];
  const texts = list
    .split(',')
    .map((text) => text.trim().toLowerCase())
    .filter((text) => text !== '');
  // A variable that is empty in a script must not make a check that never fails.
  if (texts.length === 0) throw new ParseError('--fail-on', CONDITIONS, list);
  return texts.map(parseOne);
}

const CONDITIONS = `refused, timed-out, half-open, reset, overflow, ${TRACE_RULES.join(', ')} or retransmissions>1%`;

function parseOne(text: string): FailOn {
  const rate = RATE.exec(text)?.[1];
  if (rate !== undefined)
    return { text, isMet: (summary) => retransmissionRate(summary) * 100 > Number(rate) };
  const [, name = text, limit = '0'] = COUNT.exec(text) ?? [];
  const count = counterOf(name);
  if (count === undefined) {
    throw new ParseError('--fail-on', CONDITIONS, text);
  }
  return { text, isMet: (summary) => count(summary) > Number(limit) };
}

function counterOf(name: string): ((summary: TraceSummary) => number) | undefined {
  if (name === 'retransmissions') return ({ retransmissions: { client, server } }) => client + server;
  const plain = name.replaceAll('-', '_');
  const outcome = ALIASES[name] ?? OUTCOMES.find((one) => one === plain);
  if (outcome !== undefined) return (summary) => summary.outcomes[outcome];
  const rule = TRACE_RULES.find((one) => one === (RULE_ALIASES[name] ?? plain));
  if (rule === undefined) return undefined;
  return ({ rules }) => rules.reduce((sum, total) => sum + (total.rule === rule ? total.connections : 0), 0);
}

/** Of all data segments; 0 where there were none. */
const retransmissionRate = ({ retransmissions, dataSegments }: TraceSummary): number =>
  dataSegments === 0 ? 0 : (retransmissions.client + retransmissions.server) / dataSegments;
