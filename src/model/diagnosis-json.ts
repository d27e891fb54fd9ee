import type { Rule, Severity } from './findings.js';
import type { EvidenceJson, GapJson, OriginJson } from './parts-json.js';
import type { Sureness } from './trace-findings.js';

/*
 * What other programs read of `sockwatch diagnose`: names stay, more fields may come, absent means unknown. The files in
 * schema/ are made from these types (`npm run schema`).
 */

/** What a finding is about. Only `netns`: the network namespace, or the host. */
export interface DiagnosisSubjectJson {
  /** A listener, or the source address of outgoing connections. */
  local?: string;
  remote?: string;
  pid?: number;
  process?: string;
  netns?: string;
  /** Of several namespaces: what people call it. */
  netns_name?: string;
}

export interface DiagnosisFindingJson {
  rule: Rule;
  severity: Severity;
  /** `certain`: counted; `likely`: inferred from what was counted; `suspected`: other causes look the same. */
  sure: Sureness;
  subject: DiagnosisSubjectJson;
  message: string;
  evidence: EvidenceJson[];
  why: string;
  advice: string;
  /** Values in force of the settings that matter to it, by their names in /proc/sys. */
  settings?: Record<string, string>;
  /** The rule of another finding that explains this one: mend that first. */
  caused_by?: Rule;
}

/** Output of `sockwatch diagnose --format json`. */
export interface DiagnosisJson extends OriginJson {
  schema: 'sockwatch.diagnosis/1';
  /** From the first look to the last. */
  seconds: number;
  /** Worst first. */
  findings: DiagnosisFindingJson[];
  looked_at: {
    looks: number;
    /** Where several were looked into. */
    namespaces?: number;
    listeners: number;
    connections: number;
    udp_sockets: number;
    /** Those that are no listeners. */
    unix_sockets: number;
    processes: number;
    counters: number;
    settings: number;
    /** Topics of diagnose that could be judged; queues and pools come on top. */
    topics: number;
    /** Longest time between two complete looks: what was shorter may have been missed. */
    longest_gap_ms?: number;
  };
  gaps: GapJson[];
}
