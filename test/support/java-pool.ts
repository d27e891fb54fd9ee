import { listen, type RowSpec } from './table-builder.js';

export const JAVA = [{ pid: 812, fd: 9, name: 'java' }];
export const NGINX = [{ pid: 90, fd: 6, name: 'nginx' }];
export const DB = '10.0.0.9:3306';
export const LISTENER = listen('0.0.0.0:443', [0, 128], { inode: 7 }, { owners: NGINX });

/** A used connection of java to the database, from port `n`: sent and received so many ms ago. */
export const used = (n: number, sent: number, received: number, rest: RowSpec = {}): RowSpec => ({
  local: `10.0.0.1:${40_000 + n}`,
  remote: DB,
  cookie: n + 1,
  owners: JAVA,
  ...rest,
  columns: {
    inode: 100 + n,
    lastSentMs: sent,
    lastReceivedMs: received,
    lastAckMs: received,
    bytesSent: 100,
    bytesReceived: 900,
    rttMs: 0.5,
    ...rest.columns,
  },
});
export const idle = (n: number, ms = 500, rest: RowSpec = {}) => used(n, ms + 20, ms, rest);
export const busy = (n: number, ms = 300, rest: RowSpec = {}) => used(n, ms, ms + 20, rest);

/** Rows `from`, `from + 1` and so on. */
export const many = (count: number, make: (n: number) => RowSpec, from = 0): RowSpec[] =>
  Array.from({ length: count }, (_, n) => make(from + n));
