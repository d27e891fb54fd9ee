import type { ClosedGroup } from '../model/closed.js';
import type { ListenerReport } from '../model/listener.js';
import type { Namespace } from '../model/namespace.js';
import type { Pool } from '../model/pools.js';
import type { SocketRow } from '../model/socket-row.js';
import { compileAll } from './filter-language.js';
import { namespaceFinder, namespaceJudge } from './filter-namespaces.js';
import { EndSubject, ListenerSubject, RowSubject, type Subject } from './filter-subject.js';
import { SOCKET_LANGUAGE } from './filter-terms.js';
import { readTokens } from './filter-tokens.js';

/** A filter that was read. The same terms fit sockets and listeners. */
export interface Filter {
  readonly text: string;
  /** Allocates nothing for terms that read columns: give it one moving cursor. */
  matchesRow(row: SocketRow): boolean;
  /** Port is the local port, the state is `listen`, recvq the length of the queue. */
  matchesListener(report: ListenerReport): boolean;
  /** Connections that ended: the listener's address is the local end, the remote's the remote one; the state is `close`. */
  matchesClosed(group: ClosedGroup): boolean;
  /** The same of a pool without connections. */
  matchesPool(pool: Pool): boolean;
  /** Names that the filter wants (`netns:web`) and none of these has. */
  missingNamespaces(namespaces: readonly Namespace[]): readonly string[];
  /** Whether its `netns:` and `container:` terms mean a whole namespace; `undefined`: it has none. */
  meansNamespace(namespace: Namespace): boolean | undefined;
}

/**
 * Reads the filter language of every command. Spaces mean AND, `-` before a term negates it.
 *
 * `port:443` (either end), `lport:`, `rport:`; `state:established`; `process:nginx`, `pid:812`; `local:`, `remote:` with an
 * address or network; `recvq>0`, `sendq>=100`, `rtt>50ms`, `wait>1s`; `waiting:yes`; `proto:tcp`; `uid:0`; `inode:81234`; `netns:web`, `container:web`; of
 * listeners `verdict:full` and `fill>50%`; `/regex/` over the whole row; `word` or `"two words"` in addresses and process
 * names. Lists (`80,443`) and ranges (`8000-8099`) where numbers stand, lists where names do.
 *
 * Logic of three values: what is unknown, or has no meaning for a socket, matches neither a term nor its negation.
 * @throws ParseError that names the term, what was expected and what came
 */
export function parseFilter(text: string): Filter {
  const tokens = readTokens(text);
  const matches = compileAll<Subject>(tokens, SOCKET_LANGUAGE);
  let rowSubject: RowSubject | undefined;
  return {
    text: text.trim(),
    matchesRow: (row) => {
      rowSubject ??= new RowSubject(row);
      return matches(rowSubject.load(row));
    },
    matchesListener: (report) => matches(new ListenerSubject(report)),
    matchesClosed: (group) => matches(new EndSubject(group, () => group.recent.rttMs?.p50)),
    matchesPool: (pool) => matches(new EndSubject({ ...pool, owners: ownersOf(pool) }, () => pool.rtt?.p50)),
    missingNamespaces: namespaceFinder(tokens),
    meansNamespace: namespaceJudge(tokens),
  };
}

/** Whose it is among several is not known. */
function ownersOf({ owner }: Pool) {
  if (typeof owner === 'object') return [owner];
  return owner === 'none' ? [] : undefined;
}
