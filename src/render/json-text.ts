// JSON.stringify escapes C0 and lone surrogates; DEL, C1, bidi and other invisible characters it lets through.
const INVISIBLE = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const PLAIN_ASCII = /^[\x20-\x7e]*$/;

/** JSON on one line in which a terminal finds nothing to obey; reading it gives back the very same strings. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  return PLAIN_ASCII.test(text) ? text : text.replace(INVISIBLE, escapeUnits);
}

function escapeUnits(character: string): string {
  let escaped = '';
  for (let i = 0; i < character.length; i++) {
    escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  }
  return escaped;
}
