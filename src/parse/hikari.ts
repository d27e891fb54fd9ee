import type { HikariStats } from '../model/hikari.js';

/** Longer lines are no pool statistics. */
const LONGEST_LINE = 4096;
/** A log has a handful of pools; names from elsewhere must not fill the memory. */
const MOST_POOLS = 1000;
const LONGEST_NAME = 200;
/** The time stands at the beginning. */
const LONGEST_STAMPED = 200;

const STATS = /\(((?:(?:total|active|idle|waiting)=\d{1,9}(?:\/-?\d{1,10})?(?:, ?|(?=\))))+)\)/g;
const FIELD = /(total|active|idle|waiting)=(\d+)(?:\/(-?\d+))?/g;
/** What stands between the pool's name and the numbers: `Pool stats`, `Before cleanup stats`, `Connection is not available, ...`. */
const BEFORE = /^(.*\S) - [A-Z][^()]*$/;

/**
 * Reads lines of HikariCP such as `HikariPool-1 - Pool stats (total=10, active=0, idle=10, waiting=0)` and the newer
 * `(total=10/10, idle=10/10, active=0, waiting=0)`, in whatever layout the log has; the last line of each pool counts. All else is passed over:
 * any text is accepted.
 */
export function parseHikari(text: string): HikariStats[] {
  const pools = new Map<string, HikariStats>();
  for (const line of text.split('\n')) {
    const stats = parseLine(line);
    if (stats === undefined || (pools.size >= MOST_POOLS && !pools.has(stats.name))) continue;
    pools.delete(stats.name);
    pools.set(stats.name, stats);
  }
  return [...pools.values()];
}

/** `field`: what JSON calls the text. */
function parseLine(line: string, field?: string): HikariStats | undefined {
  if (line.length > LONGEST_LINE || !line.includes('total=')) return undefined;
  const isJson = line.trimStart().startsWith('{');
  if (isJson && field === undefined) {
    const found = parseJsonLine(line);
    if (found !== undefined) return found;
  }
  for (const match of line.matchAll(STATS)) {
    const before = line.slice(0, match.index);
    // JSON that was cut short: what stands before the last quotation mark is another field.
    const text = isJson ? before.slice(before.lastIndexOf('"') + 1) : before;
    const name = nameBefore(text, field !== undefined && MESSAGE.test(field));
    const numbers = name === undefined ? undefined : readNumbers(match[1] ?? '');
    if (name !== undefined && numbers !== undefined) return { name, ...numbers, ...timeIn(before) };
  }
  return undefined;
}

/** Logs of JSON: one of the texts is the message, another the time. */
function parseJsonLine(line: string): HikariStats | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(line);
  } catch {
    return undefined;
  }
  const texts = Object.entries(fields ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  for (const [field, text] of texts) {
    const stats = parseLine(text.trimEnd(), field);
    if (stats === undefined) continue;
    const stamp = texts.map(([, one]) => timeIn(one)).find(({ time }) => time !== undefined);
    return { ...stats, ...stamp };
  }
  return undefined;
}

/** Fields that hold nothing but what HikariCP said. */
const MESSAGE = /^(message|msg)$/i;

const STAMP = /(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))? ?(Z|([+-]\d\d):?(\d\d))?/;

/** The first time with a date, as ISO 8601 and the usual layouts have it. */
function timeIn(text: string): { readonly time?: number } {
  const match = STAMP.exec(text.slice(0, LONGEST_STAMPED));
  if (match === null) return {};
  const [, year, month, day, hour, minute, second, fraction = '', utc = '', hours, minutes] = match;
  const zone = hours === undefined ? utc : `${hours}:${minutes}`;
  const time = Date.parse(
    `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0').slice(0, 3)}${zone}`,
  );
  return Number.isNaN(time) ? {} : { time };
}

/**
 * The name stands before ` - Pool stats `, behind what the layout of the log puts there: `... : NAME`, `... - NAME`, which may have blanks,
 * or else the last word (`isBare`: all of it).
 */
function nameBefore(text: string, isBare = false): string | undefined {
  const before = BEFORE.exec(text.trimEnd())?.[1];
  if (before === undefined) return undefined;
  const start = Math.max(endOf(before, ': '), endOf(before, ' - '));
  const name = start > 0 ? before.slice(start).trim() : before.slice(isBare ? 0 : endOf(before, ' '));
  return name === '' || name.length > LONGEST_NAME ? undefined : name;
}

/** Where the text behind the last `mark` begins, 0 where there is none. */
function endOf(text: string, mark: string): number {
  const at = text.lastIndexOf(mark);
  return at < 0 ? 0 : at + mark.length;
}

function readNumbers(fields: string): Omit<HikariStats, 'name'> | undefined {
  const values = new Map<string, number>();
  const limits = new Map<string, number>();
  for (const [, key = '', value, limit] of fields.matchAll(FIELD)) {
    values.set(key, Number(value));
    if (limit !== undefined) limits.set(key, Number(limit));
  }
  const [total, active, idle, waiting] = ['total', 'active', 'idle', 'waiting'].map((key) => values.get(key));
  if (total === undefined || active === undefined || idle === undefined || waiting === undefined)
    return undefined;
  const maximum = limits.get('total');
  const minimumIdle = limits.get('idle');
  return {
    total,
    active,
    idle,
    waiting,
    ...(maximum !== undefined && maximum > 0 && { maximum }),
    ...(minimumIdle !== undefined && minimumIdle >= 0 && { minimumIdle }),
  };
}
