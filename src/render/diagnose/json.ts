import type { Diagnosis, DiagnosisFinding } from '../../model/diagnosis.js';
import type { DiagnosisFindingJson, DiagnosisJson } from '../../model/diagnosis-json.js';
import { evidenceJson, gapJson, isoTime, known, round, roundKnown } from '../json-parts.js';
import { jsonText } from '../json-text.js';
import { namespaceName, redactHome, redactNamespace } from '../labels.js';
import type { Names } from '../names.js';

export function toDiagnosisJson(diagnosis: Diagnosis, names: Names): DiagnosisJson {
  learnNames(diagnosis, names);
  const { origin, lookedAt } = diagnosis;
  return known({
    schema: 'sockwatch.diagnosis/1' as const,
    time: isoTime(origin.time),
    host: names.machine(origin.host),
    netns: origin.netns,
    source: origin.source,
    boot_id: names.redacted ? undefined : origin.bootId,
    monotonic_ms: round(origin.monotonic),
    seconds: round(diagnosis.watchedMs / 1000),
    findings: diagnosis.findings.map((finding) => diagnosisFindingJson(finding, diagnosis, names)),
    looked_at: known({
      looks: lookedAt.looks,
      namespaces: diagnosis.namespaces,
      listeners: lookedAt.listeners,
      connections: lookedAt.connections,
      udp_sockets: lookedAt.udp,
      unix_sockets: lookedAt.unix,
      processes: lookedAt.processes,
      counters: lookedAt.counters,
      settings: lookedAt.settings,
      topics: lookedAt.rules,
      longest_gap_ms: roundKnown(diagnosis.apartMs),
    }),
    gaps: [...(diagnosis.unmatched ? [diagnosis.unmatched] : []), ...diagnosis.gaps].map((gap) =>
      gapJson(gap, names),
    ),
  });
}

/** The object with one finding a line. */
export function* diagnosisJson(diagnosis: Diagnosis, names: Names): Generator<string> {
  const { findings, ...rest } = toDiagnosisJson(diagnosis, names);
  yield `${jsonText(rest).slice(0, -1)},\n"findings":[`;
  for (const [index, finding] of findings.entries())
    yield `${index === 0 ? '\n' : ',\n'}${jsonText(finding)}`;
  yield ']}\n';
}

/** Before the first sentence, so that the names in it are hidden too. */
export function learnNames({ origin, findings, named }: Diagnosis, names: Names): void {
  names.machine(origin.host);
  for (const end of named.ends) names.endpoint(end);
  for (const owner of named.owners) names.owner(owner);
  for (const home of named.homes) redactHome(home, names);
  for (const device of named.devices) names.device(device);
  for (const { about, namespace } of findings) {
    if (namespace !== undefined) redactNamespace(namespace, names);
    if (about.local !== undefined) names.endpoint(about.local);
    if (about.remote !== undefined) names.endpoint(about.remote);
    if (about.owner !== undefined) names.owner(about.owner);
  }
}

function diagnosisFindingJson(
  { about, ...finding }: DiagnosisFinding,
  { origin, settings }: Diagnosis,
  names: Names,
): DiagnosisFindingJson {
  const inForce = finding.values ?? settings;
  const values = finding.settings.flatMap((name) =>
    inForce[name] === undefined ? [] : [[name, inForce[name]]],
  );
  return known({
    rule: finding.rule,
    severity: finding.severity,
    sure: finding.sure,
    subject: known({
      local: about.local && names.endpoint(about.local),
      remote: about.remote && names.endpoint(about.remote),
      pid: about.owner?.pid,
      process: about.owner && names.owner(about.owner).name,
      netns: finding.namespace?.id ?? origin.netns,
      netns_name: finding.namespace && namespaceName(finding.namespace, names),
    }),
    message: names.sentence(finding.message),
    evidence: finding.evidence.map((evidence) => evidenceJson(evidence, names)),
    why: finding.why,
    advice: names.sentence(finding.advice),
    settings: values.length === 0 ? undefined : (Object.fromEntries(values) as Record<string, string>),
    caused_by: finding.causedBy,
  });
}
