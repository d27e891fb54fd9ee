/** TCP_TIMEOUT_INIT and TCP_RTO_MAX. */
const FIRST_MS = 1000;
const LONGEST_MS = 120_000;
/** tcp_syn_linear_timeouts of Linux 6.5 and later; before it was none. */
export const LINEAR_TIMEOUTS = 4;

/** How long after the first SYN its `count`th timeout comes, ms: the first `linear` of a second each, the next doubling (net/ipv4/tcp_timer.c). */
export function synTimeout(count: number, linear: number): number {
  let at = 0;
  let rto = FIRST_MS;
  for (let timeout = 1; timeout <= count; timeout++) {
    at += rto;
    if (timeout > linear) rto = Math.min(rto * 2, LONGEST_MS);
  }
  return at;
}
