import { type Container, containersIn, type Namespace, namespaceLabel } from '../model/namespace.js';
import type { Token } from './filter-tokens.js';

/** A name of the filter language, in lower case; `*` stands for any characters. */
export type NamespaceTest = (namespace: Namespace) => boolean;

/** A whole name, the label that tables show, or the inode. */
export function namespaceTest(word: string): NamespaceTest {
  const fits = wildcard(word);
  return (namespace) => {
    const { id, name = '' } = namespace;
    return [id, name, namespaceLabel(namespace)].some((text) => fits(text.toLowerCase()));
  };
}

/** Of a word in lower case. */
export type ContainerTest = (container: Container) => boolean;

/** A whole name, or the beginning of an id. */
export const containerTest =
  (word: string): ContainerTest =>
  ({ id, name }) =>
    name?.toLowerCase() === word || id.toLowerCase().startsWith(word);

/** Part by part, from left to right: an expression with many `.*` would take long on a hostile name. */
function wildcard(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*');
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return (text) => text === pattern;
  return (text) => {
    if (!text.startsWith(first)) return false;
    let at = first.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return text.length - last.length >= at && text.endsWith(last);
  };
}

const NETNS = /^(?:netns|namespace)[:=](.*)$/is;
const CONTAINER = /^container[:=](.*)$/is;

/**
 * Whether the `netns:` and `container:` terms of a filter mean a namespace, whatever its sockets are; `undefined`: there are no such terms.
 * Of one that several containers share some sockets may be meant.
 */
export function namespaceJudge(tokens: readonly Token[]): (namespace: Namespace) => boolean | undefined {
  const tests = tokens.flatMap(({ kind, negated, text }): NamespaceTest[] => {
    if (kind !== 'plain') return [];
    const [netns, container] = [NETNS, CONTAINER].map((term) => term.exec(text)?.[1]);
    const fits = netns === undefined ? [] : wordsOf(netns).map(namespaceTest);
    if (fits.length > 0) return [(one) => fits.some((test) => test(one)) !== negated];
    if (container === undefined) return [];
    const isOne = wordsOf(container).map(containerTest);
    const isAsked = (one: Container) => isOne.some((test) => test(one));
    if (!negated) return [(one) => containersIn(one).some(isAsked)];
    return [({ container: alone, containers }) => containers !== undefined || !alone || !isAsked(alone)];
  });
  return (namespace) => (tests.length === 0 ? undefined : tests.every((test) => test(namespace)));
}

const wordsOf = (list: string): string[] => list.split(',').map((word) => word.trim().toLowerCase());

/** Gives those names of the `netns:` terms of a filter that fit none of some namespaces. Negated terms may well fit none. */
export function namespaceFinder(
  tokens: readonly Token[],
): (namespaces: readonly Namespace[]) => readonly string[] {
  const words = tokens.flatMap(({ kind, negated, text }) => {
    const [, list] = (kind === 'plain' && !negated && NETNS.exec(text)) || [];
    return list === undefined ? [] : list.split(',').map((word) => word.trim());
  });
  const tests = words.map((word) => ({ word, fits: namespaceTest(word.toLowerCase()) }));
  return (namespaces) => tests.filter(({ fits }) => !namespaces.some(fits)).map(({ word }) => word);
}
