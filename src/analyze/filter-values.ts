import { ParseError } from '../model/errors.js';
import { type IpFamily, type IpWords, parseIp } from '../model/ip.js';

export const OPERATORS = [':', '>=', '<=', '>', '<', '='] as const;
export type Operator = (typeof OPERATORS)[number];

/** `key`, operator and value of one term, and where they stand. */
export interface Clause {
  readonly where: string;
  readonly key: string;
  readonly operator: Operator;
  readonly value: string;
}

export type NumberTest = (value: number) => boolean;

export const refusal = ({ where, value }: Clause, expected: string): ParseError =>
  new ParseError(where, expected, value);

const isEquality = ({ operator }: Clause): boolean => operator === ':' || operator === '=';

/** Refuses `state>3`. */
export function wantEquality(clause: Clause): void {
  if (!isEquality(clause)) throw new ParseError(clause.where, `":" after ${clause.key}`, clause.operator);
}

function comparison(operator: Operator, limit: number): NumberTest {
  if (operator === '>') return (value) => value > limit;
  if (operator === '>=') return (value) => value >= limit;
  if (operator === '<') return (value) => value < limit;
  if (operator === '<=') return (value) => value <= limit;
  return (value) => value === limit;
}

/** Whole numbers: `80`, `80,443`, `8000-8099` after `:`, one number after `>` and its like. */
export function readIntegers(clause: Clause, largest: number, expected: string): NumberTest {
  const ranges = clause.value.split(',').map((item) => readRange(clause, item, largest, expected));
  const [first] = ranges;
  if (ranges.length === 1 && first !== undefined && first[0] === first[1]) {
    return comparison(clause.operator, first[0]);
  }
  if (!isEquality(clause)) throw refusal(clause, `one number after ${clause.operator}`);
  return (value) => ranges.some(([low, high]) => value >= low && value <= high);
}

function readRange(clause: Clause, item: string, largest: number, expected: string): [number, number] {
  const [, from, to] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(item) ?? [];
  const low = Number(from);
  const high = to === undefined ? low : Number(to);
  if (from === undefined || low > high || high > largest) throw refusal(clause, expected);
  return [low, high];
}

const UNIT_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `500ms`, `1s`, `5m`; a bare number is milliseconds. */
export function readDuration(clause: Clause): NumberTest {
  const [, number, unit = 'ms'] = /^(\d{1,12}(?:\.\d{1,6})?)(us|ms|s|m|h)?$/.exec(clause.value) ?? [];
  if (number === undefined) throw refusal(clause, 'a duration, as 500ms, 1s or 5m');
  return comparison(clause.operator, Number(number) * (UNIT_MS[unit] ?? 1));
}

// A fill over 10 without a percent sign can only have been meant as percent; which, the user must say.
const LARGEST_RATIO = 10;

/** `0.5` or `50%`. */
export function readRatio(clause: Clause): NumberTest {
  const [, number, percent] = /^(\d{1,6}(?:\.\d{1,6})?|\.\d{1,6})(%)?$/.exec(clause.value) ?? [];
  const value = Number(number) / (percent === undefined ? 1 : 100);
  if (number === undefined || (percent === undefined && value > LARGEST_RATIO)) {
    throw refusal(clause, 'a ratio as 0.5 or a percentage as 50%');
  }
  return comparison(clause.operator, value);
}

const plainName = (text: string): string => text.toLowerCase().replace(/[-_]/g, '');

/** Names of a closed set, by commas; any case, `-` and `_` alike, and beginnings that only one name has. */
export function readNames<Name extends string>(
  clause: Clause,
  names: readonly Name[],
  aliases: Readonly<Record<string, Name>> = {},
): ReadonlySet<Name> {
  wantEquality(clause);
  return new Set(clause.value.split(',').map((item) => readName(clause, item, names, aliases)));
}

function readName<Name extends string>(
  clause: Clause,
  item: string,
  names: readonly Name[],
  aliases: Readonly<Record<string, Name>>,
): Name {
  const wanted = plainName(item);
  const exact = names.find((name) => plainName(name) === wanted);
  const alias = Object.hasOwn(aliases, wanted) ? aliases[wanted] : undefined;
  const known = exact ?? alias;
  if (known !== undefined) return known;
  const begun = wanted === '' ? [] : names.filter((name) => plainName(name).startsWith(wanted));
  const [only] = begun;
  if (only !== undefined && begun.length === 1) return only;
  const choices = (begun.length > 1 ? begun : names).join(', ');
  throw new ParseError(clause.where, `one of ${choices}`, item);
}

/** An address and the bits of it that count, in the words of the table. */
export interface Network {
  readonly family: IpFamily;
  readonly words: IpWords;
  readonly masks: IpWords;
}

/** `10.0.0.5`, `10.0.0.0/8`, `fe80::/10`, `[::1]`, by commas. */
export function readNetworks(clause: Clause): readonly Network[] {
  wantEquality(clause);
  return clause.value.split(',').map((item) => {
    const network = readNetwork(item);
    if (network === undefined) throw refusal(clause, 'an address or a network, as 10.0.0.5 or 10.0.0.0/8');
    return network;
  });
}

function readNetwork(item: string): Network | undefined {
  const [, host = '', prefix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(item) ?? [];
  const bare = /^\[(.*)\]$/.exec(host)?.[1] ?? host;
  const address = parseIp(bare);
  if (address === undefined) return undefined;
  // The table keeps IPv4 in the last word: its prefix counts from there, but not where it is written as v4-mapped.
  const offset = bare.includes(':') ? 0 : 96;
  const bits = prefix === undefined ? 128 : Number(prefix) + offset;
  if (bits > 128 || (address.family === 4 && bits < 96)) return undefined;
  const mask = (word: number) => maskOf(Math.min(32, Math.max(0, bits - word * 32)));
  return { ...address, masks: [mask(0), mask(1), mask(2), mask(3)] };
}

/** The highest bits of a word. A shift by 32 would be one by 0. */
const maskOf = (bits: number): number => (bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0);
