import { ParseError } from '../model/errors.js';
import { parseIp } from '../model/ip.js';
import { compileRegex } from './filter-regex.js';
import { type Token, whereIn } from './filter-tokens.js';
import type { Clause, NumberTest, Operator } from './filter-values.js';

/** `undefined`: cannot be told. Not true, and neither is its negation. */
export type Truth = boolean | undefined;

/** What a term reads, cheapest first: columns, owners (may be looked up), text (must be made). */
const COSTS = ['columns', 'owners', 'text'] as const;

export interface Term<Subject> {
  readonly cost: number;
  readonly test: (subject: Subject) => Truth;
}

/** The keys that one kind of thing knows; tokens, operators, values and errors are the same for all (`parseFilter`). */
export interface Language<Subject> {
  /** In the order of help and errors. */
  readonly keys: Readonly<Record<string, (clause: Clause) => Term<Subject>>>;
  readonly aliases: Readonly<Record<string, string>>;
  readonly word: (text: string) => Term<Subject>;
  readonly regex: (pattern: RegExp) => Term<Subject>;
}

export const term = <Subject>(reads: (typeof COSTS)[number], test: Term<Subject>['test']): Term<Subject> => ({
  cost: COSTS.indexOf(reads),
  test,
});

export const judge = (value: number | undefined, test: NumberTest): Truth =>
  value === undefined ? undefined : test(value);

/** True where one is true; unknown where one may be. */
export const either = (first: Truth, second: Truth): Truth =>
  first === true || second === true ? true : first === undefined || second === undefined ? undefined : false;

export const PORTS = 'a port, as 443, 80,443 or 8000-8099';

const CLAUSE = /^([a-z][a-z_-]*)(:|>=|<=|>|<|=)(.*)$/is;

/** @throws ParseError that names the term */
export function compileTerm<Subject>(token: Token, language: Language<Subject>): Term<Subject> {
  const compiled = compileAsked(token, language);
  if (!token.negated) return compiled;
  return {
    cost: compiled.cost,
    test: (subject) => {
      const truth = compiled.test(subject);
      return truth === undefined ? undefined : !truth;
    },
  };
}

function compileAsked<Subject>({ kind, text, raw }: Token, language: Language<Subject>): Term<Subject> {
  const { keys, aliases } = language;
  if (kind === 'regex') return language.regex(compileRegex(text, whereIn(raw)));
  const [, key, operator, value = ''] = CLAUSE.exec(text) ?? [];
  if (kind === 'word' || key === undefined || parseIp(text) !== undefined) return language.word(text);
  const lower = key.toLowerCase();
  const name = Object.hasOwn(aliases, lower) ? (aliases[lower] ?? lower) : lower;
  const compile = Object.hasOwn(keys, name) ? keys[name] : undefined;
  if (compile === undefined) {
    const expected = `one of ${Object.keys(keys).join(', ')}`;
    throw new ParseError(whereIn(`${key}${operator}`), expected, key);
  }
  return compile({ where: whereIn(raw), key: name, operator: operator as Operator, value });
}

/** All terms of a filter, the cheapest first: a test that is true where every one of them is. */
export function compileAll<Subject>(
  tokens: readonly Token[],
  language: Language<Subject>,
): (subject: Subject) => boolean {
  const terms = tokens.map((token) => compileTerm(token, language)).sort((a, b) => a.cost - b.cost);
  return (subject) => {
    for (const { test } of terms) if (test(subject) !== true) return false;
    return true;
  };
}
