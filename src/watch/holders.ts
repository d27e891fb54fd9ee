import { ownerText } from '../analyze/words.js';

/** One process that holds a socket. The name is hostile. */
export interface Hand {
  readonly pid: number;
  readonly name: string;
}

/** By pid. */
export type Holders = ReadonlyMap<number, Hand>;

/** Those who only keep a socket for others (systemd socket activation): not the ones who serve it. */
export const isManager = ({ pid, name }: Hand): boolean => pid === 1 || name === 'systemd';

/** Without those, unless there is nobody else. */
export function withoutManagers(holders: Holders): Holders {
  const serving = [...holders].filter(([, hand]) => !isManager(hand));
  return serving.length === 0 ? holders : new Map(serving);
}

/** `nginx/812`, `nginx/812 and 3 more`. Raw: renderers clean it. */
export const ownersText = (holders: Holders): string =>
  ownerText([...holders.values()].map((hand) => ({ ...hand, fd: 0 })));
