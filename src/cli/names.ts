import { type Names, PLAIN_NAMES } from '../render/names.js';
import { Pseudonyms } from '../render/redact.js';

/** The names that all output of one run goes through. */
export const namesFor = ({ redact }: { readonly redact: boolean }): Names =>
  redact ? new Pseudonyms() : PLAIN_NAMES;
