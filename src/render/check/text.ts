import type { CheckResult } from '../../model/check.js';
import { type Names, PLAIN_NAMES } from '../names.js';
import { headline } from './headline.js';
import { longText } from './nagios.js';

/** For people: the verdict on the first line, then what it is made of. */
export function checkText(
  result: CheckResult,
  { names = PLAIN_NAMES, verbose = false }: { names?: Names; verbose?: boolean } = {},
): string {
  const lines = [
    `${result.status.toUpperCase()}: ${headline(result, names)}`,
    ...longText(result, names, verbose),
  ];
  return `${lines.join('\n')}\n`;
}
