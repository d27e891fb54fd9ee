import type { AlertEvent } from '../model/findings.js';
import type { Origin } from '../model/observation.js';
import { toAlertJson } from './json.js';
import { isoTime } from './json-parts.js';
import { jsonText } from './json-text.js';
import { type Names, PLAIN_NAMES } from './names.js';
import { paint, roleOf } from './style.js';
import { cleanText, formatDuration } from './text.js';

/** What a program of `--on-alert` gets: its own copy of one event. */
export interface AlertProgramInput {
  /** The alert that it is an event of. */
  readonly id: string;
  /** One line of `sockwatch.alert/1`. */
  readonly input: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Linux takes at most 128 kB for one variable, and a log far less. */
const ENV_LENGTH = 1000;

export function alertProgramInput(
  event: AlertEvent,
  origin: Origin,
  names: Names = PLAIN_NAMES,
): AlertProgramInput {
  const alert = toAlertJson(event, origin, names);
  const fields = {
    PHASE: alert.phase,
    RULE: alert.rule,
    SEVERITY: alert.severity,
    SUBJECT: alert.subject,
    MESSAGE: alert.message,
    TIME: alert.time,
    HOST: alert.host,
  };
  const env = Object.entries(fields).map(([name, text]) => [`SOCKWATCH_ALERT_${name}`, shortText(text)]);
  return { id: event.alert.id, input: `${jsonText(alert)}\n`, env: Object.fromEntries(env) };
}

const shortText = (text: string) => cleanText(text).slice(0, ENV_LENGTH);

/** `2026-11-20T19:15:06.215Z ALERT raised critical accept_queue_full 0.0.0.0:443 accept queue full: 129 of 128`. */
export function alertLine(event: AlertEvent, color: boolean, names: Names = PLAIN_NAMES): string {
  const { finding, subjectText } = event.alert;
  const severity = paint(
    event.phase === 'cleared' ? 'ok' : roleOf(finding.severity),
    finding.severity,
    color,
  );
  const subject = cleanText(names.sentence(subjectText));
  const message = cleanText(names.sentence(finding.message));
  const because = finding.causedBy === undefined ? '' : ` (because of ${finding.causedBy})`;
  const lasted = event.lastedMs === undefined ? '' : ` (lasted ${formatDuration(event.lastedMs)})`;
  return `${isoTime(event.time)} ALERT ${event.phase} ${severity} ${finding.rule} ${subject} ${message}${because}${lasted}`;
}
