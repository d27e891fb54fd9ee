/** One value of perfdata, as the guidelines of the monitoring plugins define it. */
export interface Perfdatum {
  readonly label: string;
  readonly value: number | undefined;
  readonly unit: string;
  readonly warning: string;
  readonly critical: string;
  readonly min: number | undefined;
  readonly max: number | undefined;
}

const NUMBER = '-?(?:[0-9]+(?:\\.[0-9]+)?|\\.[0-9]+)';
const RANGE = `@?(?:(?:~|${NUMBER})?:)?(?:${NUMBER})?`;
const UNITS = ['', 's', 'us', 'ms', '%', 'B', 'KB', 'MB', 'TB', 'c'];
const ONE = new RegExp(
  `^(?:'((?:[^'=]|'')+)'|([^\\s'=]+))=(?:(U)|(${NUMBER})([a-zA-Z%]*))(?:;(${RANGE}))?(?:;(${RANGE}))?(?:;(${NUMBER})?)?(?:;(${NUMBER})?)?$`,
);

/** What a plugin printed, taken apart strictly: any deviation throws. */
export function parsePlugin(output: string): { head: string; long: string[]; perfdata: Perfdatum[] } {
  if (!output.endsWith('\n')) throw new Error('no final newline');
  if (/[^\x20-\x7e\n]/.test(output.replace(/[\u00a0-\uffff]/g, ''))) throw new Error('control characters');
  const [first = '', ...rest] = output.slice(0, -1).split('\n');
  const [head = '', perf = '', ...tooMany] = first.split('|');
  if (tooMany.length > 0) throw new Error('more than one | on the first line');
  const long: string[] = [];
  const perfdata = parseList(perf);
  let isPerfdata = false;
  for (const line of rest) {
    const [text = '', more, ...others] = line.split('|');
    if (others.length > 0 || (isPerfdata && more !== undefined)) throw new Error(`too many | in ${line}`);
    if (isPerfdata) perfdata.push(...parseList(text));
    else long.push(text.trim());
    if (more === undefined) continue;
    isPerfdata = true;
    perfdata.push(...parseList(more));
  }
  const labels = perfdata.map(({ label }) => label);
  if (new Set(labels).size !== labels.length) throw new Error(`a label repeats: ${labels.join(' ')}`);
  return { head: head.trim(), long, perfdata };
}

function parseList(text: string): Perfdatum[] {
  const words = text.trim().match(/(?:'(?:[^']|'')*'|[^\s'])+/g) ?? [];
  return words.map((word) => {
    const [, quoted, plain, unknown, value, unit = '', warning = '', critical = '', min, max] =
      ONE.exec(word) ?? [];
    const label = quoted?.replaceAll("''", "'") ?? plain;
    if (label === undefined) throw new Error(`no perfdata: ${word}`);
    if (!UNITS.includes(unit)) throw new Error(`no unit of the guidelines: ${word}`);
    const number = (part: string | undefined) =>
      part === undefined || part === '' ? undefined : Number(part);
    return {
      label,
      value: unknown === undefined ? number(value) : undefined,
      unit,
      warning,
      critical,
      min: number(min),
      max: number(max),
    };
  });
}
