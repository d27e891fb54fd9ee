import type { Gap } from '../../model/observation.js';
import { asNumber, asText } from './fields.js';

/** Throws ParseError that names `where`. */
export const readGaps = (list: readonly unknown[], where: string): Gap[] =>
  list.map((value) => {
    const { what, why, line } = (value ?? {}) as Record<string, unknown>;
    return {
      what: asText(what, where),
      why: asText(why, where),
      ...(line !== undefined && { line: asNumber(line, where) }),
    };
  });
