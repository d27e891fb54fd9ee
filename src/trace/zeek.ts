import { type Flows, SUM } from './flows.js';
import { ZEEK, zeekState } from './tcp/zeek-states.js';

const Z = ZEEK;

/** Zeek's conn_state (PCAP.md section 2), from the states of both ends and the history. */
export function connState(flows: Flows, slot: number, history: string): string {
  const orig = zeekState(flows, slot, 0);
  const resp = zeekState(flows, slot, 1);
  const isSilent = flows.sum(slot, 0, SUM.payload) === 0 && flows.sum(slot, 1, SUM.payload) === 0;
  const origInactive = orig === Z.inactive || orig === Z.partial;
  const respInactive = resp === Z.inactive || resp === Z.partial;
  if (resp === Z.reset) {
    if (orig === Z.synSent || orig === Z.synAckSent || (orig === Z.reset && isSilent)) return 'REJ';
    return origInactive ? 'RSTRH' : 'RSTR';
  }
  if (orig === Z.reset) {
    if (!respInactive) return 'RSTO';
    return /\^?S[^HAFGIQ]*R.*/.test(history) ? 'RSTOS0' : 'OTH';
  }
  if (resp === Z.closed) {
    if (orig === Z.closed) return 'SF';
    return origInactive ? 'SHR' : 'S3';
  }
  if (orig === Z.closed) return respInactive ? 'SH' : 'S2';
  if (orig === Z.synSent && resp === Z.inactive) return 'S0';
  return orig === Z.established && resp === Z.established ? 'S1' : 'OTH';
}
