/** One stretch of the demo. Numbers of clients glide from the end of the phase before to this one's. */
export interface DemoPhase {
  readonly name: 'calm' | 'slowing' | 'filling' | 'stopping' | 'full' | 'overflow' | 'recovery';
  /** Seconds of a cycle of 60 s. */
  readonly seconds: number;
  /** Clients that come, are answered, and come again: the accept queue holds all but those in service. */
  readonly clients: number;
  /** How long the acceptor takes for each connection; `STOPPED` = until it is told otherwise. */
  readonly acceptMs: number;
}

export const STOPPED = -1;
/** Capacity 17. With at most 30 clients the demo never has more than 60 sockets. */
export const DEMO_BACKLOG = 16;
/** Between an answer and the next visit of the same client. */
export const THINK_MS = 50;

/**
 * 16 clients and 50 ms each: 14 wait (82 % of 17) for 0.7 s, below the 1 s of the wait alert.
 * 18 clients and a stopped acceptor, which holds one: 17 wait, full without one overflow. The rest overflows.
 */
export const DEMO_SCHEDULE: readonly DemoPhase[] = [
  { name: 'calm', seconds: 6, clients: 4, acceptMs: 1 },
  { name: 'slowing', seconds: 8, clients: 16, acceptMs: 50 },
  { name: 'filling', seconds: 7, clients: 16, acceptMs: 50 },
  { name: 'stopping', seconds: 3, clients: 18, acceptMs: STOPPED },
  { name: 'full', seconds: 6, clients: 18, acceptMs: STOPPED },
  { name: 'overflow', seconds: 10, clients: 30, acceptMs: STOPPED },
  { name: 'recovery', seconds: 20, clients: 4, acceptMs: 1 },
];

export const DEMO_SECONDS = DEMO_SCHEDULE.reduce((sum, phase) => sum + phase.seconds, 0);

export interface DemoMoment {
  readonly phase: DemoPhase;
  readonly clients: number;
}

/** What the demo does `elapsedMs` after its start, when one cycle lasts `cycleMs`; it repeats. */
export function demoMoment(elapsedMs: number, cycleMs: number = DEMO_SECONDS * 1000): DemoMoment {
  let second = ((elapsedMs % cycleMs) / cycleMs) * DEMO_SECONDS;
  let before = DEMO_SCHEDULE[DEMO_SCHEDULE.length - 1] as DemoPhase;
  for (const phase of DEMO_SCHEDULE) {
    if (second < phase.seconds) {
      return { phase, clients: clientsAt(before.clients, phase, second / phase.seconds) };
    }
    second -= phase.seconds;
    before = phase;
  }
  return { phase: before, clients: before.clients };
}

/** More clients come over the first two thirds of a phase; those that are too many go at once. */
function clientsAt(from: number, phase: DemoPhase, share: number): number {
  if (phase.clients <= from) return phase.clients;
  return Math.round(from + (phase.clients - from) * Math.min(1, share * 1.5));
}
