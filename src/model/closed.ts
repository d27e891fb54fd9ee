/**
 * What a row of a ClosedObservation was. `connection`: was established, with both ends known. `aborted`: was established, and this side
 * ended it with a RST in a way that makes the kernel forget the far end (SO_LINGER 0, connect(AF_UNSPEC)). `attempt`: a connect() that
 * never got so far.
 */
export const CLOSE_KINDS = ['connection', 'aborted', 'attempt'] as const;
export type CloseKind = (typeof CLOSE_KINDS)[number];
