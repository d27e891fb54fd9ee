import type { TableStyle } from '../render/columns.js';
import { decideColor } from '../render/style.js';

type Stream = Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>;
type Env = Readonly<Record<string, string | undefined>>;

/** How a table is drawn on a stream: the width of a terminal, no limit in a pipe or a file. */
export function tableStyle(stream: Stream, env: Env, noColor: boolean): TableStyle {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || 'C';
  return {
    color: decideColor(env, stream.isTTY, noColor ? false : undefined),
    ascii: !/utf-?8/i.test(locale),
    ...(stream.isTTY && stream.columns > 0 && { width: stream.columns }),
  };
}
