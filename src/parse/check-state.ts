import { STATUSES, type Status } from '../model/check.js';
import type { CheckState, KnownListener, KnownNamespace, Told } from '../model/check-state.js';
import { ParseError } from '../model/errors.js';
import type { Counters } from '../model/observation.js';
import { readNamespace } from './recording/homes.js';

export const CHECK_STATE_SCHEMA = 'sockwatch.check-state/1';
const WHERE = 'state file';
const MOST_HISTORY = 100;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads what `formatCheckState` wrote. Nothing in it is believed: every field has its type and its bounds.
 * @throws ParseError that says which field is wrong
 */
export function parseCheckState(text: string): CheckState {
  const fields = asFields(parseJson(text), 'an object');
  if (fields.schema !== CHECK_STATE_SCHEMA)
    throw new ParseError(WHERE, CHECK_STATE_SCHEMA, String(fields.schema));
  const { bootId, netns, netnsMark, namespaces, sight, told } = fields;
  return {
    check: asText(fields.check, 'check'),
    ...(bootId !== undefined && { bootId: asText(bootId, 'bootId') }),
    ...(netns !== undefined && { netns: asText(netns, 'netns') }),
    ...(netnsMark !== undefined && { netnsMark: asText(netnsMark, 'netnsMark') }),
    time: asNumber(fields.time, 'time'),
    monotonic: asNumber(fields.monotonic, 'monotonic'),
    counters: asCounters(fields.counters),
    ...(namespaces !== undefined && { namespaces: mapOf(namespaces, 'namespaces', asNamespace) }),
    ...(sight !== undefined && { sight: asText(sight, 'sight') }),
    listeners: mapOf(fields.listeners, 'listeners', asListener),
    history: mapOf(fields.history, 'history', asHistory),
    ...(told !== undefined && { told: asTold(told) }),
  };
}

/** One line of JSON with a newline behind it. */
export const formatCheckState = ({ listeners, history, namespaces, ...rest }: CheckState): string =>
  `${JSON.stringify({
    schema: CHECK_STATE_SCHEMA,
    ...rest,
    ...(namespaces !== undefined && { namespaces: Object.fromEntries([...namespaces].map(namespaceFields)) }),
    listeners: Object.fromEntries(listeners),
    history: Object.fromEntries(history),
  })}\n`;

/** Its id is the name of the field. */
const namespaceFields = ([id, { namespace, ...rest }]: [string, KnownNamespace]) => {
  const { id: _, ...names } = namespace;
  return [id, { names, ...rest }] as const;
};

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ParseError(WHERE, 'JSON', text);
  }
}

function asFields(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new ParseError(WHERE, what, String(JSON.stringify(value)));
}

function asText(value: unknown, what: string): string {
  if (typeof value === 'string' && value.length <= 4096) return value;
  throw new ParseError(WHERE, `text in ${what}`, String(JSON.stringify(value)));
}

function asNumber(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw new ParseError(WHERE, `a number in ${what}`, String(JSON.stringify(value)));
}

function asStatus(value: unknown): Status {
  if ((STATUSES as readonly unknown[]).includes(value)) return value as Status;
  throw new ParseError(WHERE, STATUSES.join(', '), String(JSON.stringify(value)));
}

const mapOf = <T>(
  value: unknown,
  what: string,
  read: (value: unknown, key: string) => T,
): ReadonlyMap<string, T> =>
  new Map(Object.entries(asFields(value, what)).map(([key, one]) => [key, read(one, key)]));

const asCounters = (value: unknown): Counters =>
  Object.fromEntries(
    Object.entries(asFields(value, 'counters')).map(([name, one]) => [name, asNumber(one, name)]),
  );

function asNamespace(value: unknown, id: string): KnownNamespace {
  const { names, mark, counters, isOther } = asFields(value, 'a namespace');
  return {
    namespace: { id, ...readNamespace(names, WHERE) },
    ...(mark !== undefined && { mark: asText(mark, 'mark') }),
    ...(counters !== undefined && { counters: asCounters(counters) }),
    ...(isOther === true && { isOther }),
  };
}

function asListener(value: unknown): KnownListener {
  const { local, cookie, drops } = asFields(value, 'a listener');
  return {
    local: asText(local, 'local'),
    ...(cookie !== undefined && { cookie: asText(cookie, 'cookie') }),
    drops: asNumber(drops, 'drops'),
  };
}

function asHistory(value: unknown): readonly Status[] {
  if (!Array.isArray(value)) throw new ParseError(WHERE, 'a list in history', String(JSON.stringify(value)));
  return value.slice(-MOST_HISTORY).map(asStatus);
}

function asTold(value: unknown): Told {
  const { status, problems, time } = asFields(value, 'told');
  if (!Array.isArray(problems))
    throw new ParseError(WHERE, 'a list in problems', String(JSON.stringify(problems)));
  return {
    status: asStatus(status),
    problems: problems.map((one) => asText(one, 'problems')),
    time: asNumber(time, 'time'),
  };
}
