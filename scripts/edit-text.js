/** The text with each of the edits, `{ from, to, text }`, in place of what stood there. */
export function editText(text, edits) {
  let edited = '';
  let at = 0;
  for (const edit of [...edits].sort((a, b) => a.from - b.from)) {
    edited += text.slice(at, edit.from) + edit.text;
    at = edit.to;
  }
  return edited + text.slice(at);
}
