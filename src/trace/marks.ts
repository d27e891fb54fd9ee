/** Moments that every connection can have once. Kept as columns, time and frame, for each connection. */
export const MARKS = [
  'first',
  'last',
  'syn',
  /** The last SYN before the SYN-ACK: the same as `syn` unless it was sent again. */
  'answeredSyn',
  'synAck',
  'lastSynAck',
  'ack',
  'clientHello',
  'serverHello',
  'clientCcs',
  'serverCcs',
  'finished',
  /** First payload byte of the client (after TLS: its first application data). */
  'request',
  'response',
  'clientData',
  'serverData',
  'clientFin',
  'serverFin',
  'clientRst',
  'serverRst',
  /** Last packet that was part of the close. */
  'closed',
  /** Request that waits for its response; cleared (frame 0) when it comes. */
  'pending',
  /** Request that waited when the client closed or reset, whatever came later. */
  'abandoned',
  /** Where nobody answered: first packet of the attempt that the client made instead. */
  'successor',
] as const;
export type Mark = (typeof MARKS)[number];
/** Place of each mark in the columns: `flows.markTimes[slot * MARK_COUNT + MARK.syn]`. */
export const MARK = Object.fromEntries(MARKS.map((name, index) => [name, index])) as Readonly<
  Record<Mark, number>
>;
export const MARK_COUNT = MARKS.length;
