import type { HandsTeller } from './hands-teller.js';
import { type Holders, ownersText } from './holders.js';
import type { Place } from './places.js';

/** `nginx/812 listens now`; `nginx/812 and 2 more listen now`. */
export const listensText = (holders: Holders, how: string): string =>
  `${ownersText(holders)} ${holders.size === 1 ? 'listens' : 'listen'} ${how}`;

const doesText = (holders: Holders) => `${ownersText(holders)} ${holders.size === 1 ? 'does' : 'do'}`;

/** Who came, went or has another name, of an address that has not been taken over. */
export function tellOwners(
  before: Place,
  { listener, keys }: Place,
  now: Holders,
  teller: HandsTeller,
): void {
  // That others listen there was told, without their names.
  if (before.holders.size === 0) {
    teller.tell('owner', listener, listensText(now, 'there now'));
    return;
  }
  for (const [pid, { name }] of now) {
    const was = before.holders.get(pid)?.name;
    if (was !== undefined && was !== name)
      teller.tell('owner', listener, `${was}/${pid} is ${name}/${pid} now`);
  }
  // With the very same sockets only the workers behind them have changed. Not those of the last look: owners may come later than their socket.
  const isSame = keys.size === before.held.size && [...keys].every((key) => before.held.has(key));
  if (isSame) return;
  const came = without(now, before.holders);
  const went = without(before.holders, now);
  if (came.size > 0)
    teller.tell('owner', listener, listensText(came, `there too, beside ${ownersText(before.holders)}`));
  if (went.size > 0)
    teller.tell('owner', listener, `${listensText(went, 'there no more')}, ${doesText(now)}`);
}

const without = (from: Holders, others: Holders): Holders =>
  new Map([...from].filter(([pid]) => !others.has(pid)));

/** Some of the sockets that were there first have gone before anybody knew whose they were. */
export function tellLost({ listener, held, keys }: Place, now: Holders, teller: HandsTeller): void {
  const lost = [...held].filter((key) => !keys.has(key)).length;
  if (lost === 0) return;
  const sockets = lost === 1 ? 'another socket' : `${lost} other sockets`;
  const text = `${sockets}, whose owners are not known, ${lost === 1 ? 'listens' : 'listen'} there no more`;
  teller.tell('owner', listener, `${text}, ${doesText(now)}`);
}

/** None of the sockets that were there is left, and whose they were, or whose the others are (`now` is absent), is not known. */
export function tellOthers(
  { listener, held, keys, settled }: Place,
  now: Holders | undefined,
  teller: HandsTeller,
): void {
  const came = keys.size === 1 ? 'another socket' : 'other sockets';
  const earlier = held.size === 1 ? 'the earlier was' : 'the earlier were';
  const listen = `${came} ${keys.size === 1 ? 'listens' : 'listen'} there now`;
  const are = keys.size === 1 ? 'it is' : 'they are';
  const was = settled.size === 0 ? '' : `, was ${ownersText(settled)}`;
  teller.tell(
    'owner',
    listener,
    now === undefined
      ? `${listen}; whose ${are} is not known${was}`
      : `${listensText(now, 'there now')} with ${came}; whose ${earlier} is not known`,
  );
}
