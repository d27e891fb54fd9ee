import type { Finding } from '../../model/findings.js';
import { markOf } from '../../render/style.js';
import { cleanText } from '../../render/text.js';
import { type Line, span } from '../spans.js';
import { wrap } from './format.js';
import { roleOfSeverity } from './gauge.js';

const INDENT = '     ';

/** What was found, with the evidence and what to do about it. */
export function findingLines(
  finding: Pick<Finding, 'message' | 'evidence' | 'advice' | 'severity'>,
  width: number,
): Line[] {
  const { message, evidence, advice, severity } = finding;
  return [
    ...wrap(message, width - INDENT.length).map(
      (text, index): Line => [
        span(index === 0 ? `  ${markOf(severity).padEnd(2)} ` : INDENT, roleOfSeverity(severity, 'info')),
        span(text, 'title'),
      ],
    ),
    ...evidence.map(({ text }) => [span(`${INDENT}- `, 'dim'), span(cleanText(text))]),
    ...(advice === undefined
      ? []
      : wrap(advice, width - 14).map(
          (text, index): Line => [
            span(`${INDENT}${index === 0 ? 'To do: ' : '       '}`, 'info'),
            span(text),
          ],
        )),
    [],
  ];
}
