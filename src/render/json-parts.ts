import type { Endpoint } from '../model/endpoint.js';
import type { Evidence, Finding } from '../model/findings.js';
import type { FindingJson } from '../model/json.js';
import { containerLabel, type Home } from '../model/namespace.js';
import type { Gap } from '../model/observation.js';
import type { EvidenceJson, GapJson, OwnerJson } from '../model/parts-json.js';
import type { Owner } from '../model/sockets.js';
import type { Names } from './names.js';

type Known<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The object without its undefined fields: in JSON, absent means unknown. */
export function known<T extends object>(fields: T): Known<T> {
  const kept: Record<string, unknown> = {};
  for (const key in fields) if (fields[key] !== undefined) kept[key] = fields[key];
  return kept as Known<T>;
}

/** ISO 8601 in UTC; a time that no calendar has (a broken source) reads as the epoch rather than throwing. */
export const isoTime = (wallMs: number): string => {
  const date = new Date(wallMs);
  return (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString();
};

/** Thousandths are enough for milliseconds and rates. */
export const round = (value: number): number => Math.round(value * 1000) / 1000;

export const roundKnown = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : round(value);

interface EndJson {
  text: string;
  address: string | undefined;
  port: number | undefined;
}

/** One end as text and in parts; a Unix socket has no parts. */
export function endJson(end: Endpoint, names: Names): EndJson {
  const text = names.endpoint(end);
  if (end.kind === 'unix') return { text, address: undefined, port: undefined };
  return { text, address: names.host(end), port: end.port };
}

/** Bytes of a Unix path that is not UTF-8; it would betray a redacted path. */
export const hexOf = (end: Endpoint, names: Names): string | undefined =>
  end.kind === 'unix' && !names.redacted ? end.hex : undefined;

export const ownersJson = (owners: readonly Owner[] | undefined, names: Names): OwnerJson[] | undefined =>
  owners?.map((owner) => {
    const { pid, name, fd } = names.owner(owner);
    return { pid, name, fd };
  });

/** Names as the output has them: see `redactHome`. */
export const homeJson = ({ container, pod, unit }: Home) => ({
  container: container && containerLabel(container),
  container_id: container?.id,
  pod,
  unit,
});

export const evidenceJson = (evidence: Evidence, names: Names): EvidenceJson => ({
  metric: evidence.metric,
  value: evidence.value,
  unit: evidence.unit,
  text: names.sentence(evidence.text),
});

export const findingJson = ({ advice, ...finding }: Finding, names: Names): FindingJson =>
  known({
    rule: finding.rule,
    severity: finding.severity,
    subject: names.sentence(finding.subject),
    message: names.sentence(finding.message),
    evidence: finding.evidence.map((evidence) => evidenceJson(evidence, names)),
    advice: advice === undefined ? undefined : names.sentence(advice),
  });

export const gapJson = ({ what, why, line }: Gap, names: Names): GapJson =>
  known({ what: names.sentence(what), why: names.sentence(why), line });
