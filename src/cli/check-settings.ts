import type { Section, Setting } from '../model/config.js';
import { ParseError } from '../model/errors.js';
import type { CheckFlags } from './check-flags.js';

/** Texts as the user wrote them, with the place to name when one is wrong. */
export interface Written {
  readonly text: string;
  readonly where: string;
}

/** Settings of `check` that a configuration file may hold, by the names of their flags. */
const SINGLE = [
  'by',
  'filter',
  'samples',
  'every',
  'sample-rate',
  'for',
  'renotify',
  'state',
  'format',
  'output',
  'source',
  'timeout',
] as const;
const LISTS = ['port', 'listener', 'unix', 'expect', 'netns'] as const;
type SingleName = (typeof SINGLE)[number];
type ListName = (typeof LISTS)[number];

/** What a check is told, from the command line over the configuration. */
export class CheckSettings {
  constructor(
    private readonly flags: CheckFlags,
    private readonly section: Section = new Map(),
  ) {
    const known: readonly string[] = [...SINGLE, ...LISTS, 'metrics'];
    refuseUnknown(section, known);
  }

  one(name: SingleName): Written | undefined {
    const flag = this.flags[name];
    if (flag !== undefined && !(name === 'source' && flag === 'auto'))
      return { text: flag, where: `--${name}` };
    const setting = this.section.get(name);
    return setting && { text: asText(setting), where: setting.where };
  }

  /** `flagsOnly`: what the configuration says does not count. */
  list(name: ListName, flagsOnly = false): Written[] {
    const flags = this.flags[name] ?? [];
    if (flags.length > 0) return flags.map((text) => ({ text, where: `--${name}` }));
    const setting = flagsOnly ? undefined : this.section.get(name);
    return setting === undefined ? [] : asTexts(setting).map((text) => ({ text, where: setting.where }));
  }

  /** Metrics of the configuration, with their ranges. */
  metrics(): readonly {
    name: string;
    where: string;
    warning: Written | undefined;
    critical: Written | undefined;
  }[] {
    const setting = this.section.get('metrics');
    if (setting === undefined) return [];
    const { value, where } = setting;
    if (!(value instanceof Map)) {
      return asTexts(setting).map((name) => ({ name, where, warning: undefined, critical: undefined }));
    }
    return [...(value as Section)].map(([name, metric]) => ({
      name,
      where: metric.where,
      ...rangesOf(metric),
    }));
  }
}

function rangesOf(metric: Setting) {
  if (!(metric.value instanceof Map))
    throw new ParseError(metric.where, 'warning: and critical: below it', asText(metric));
  const section = metric.value as Section;
  refuseUnknown(section, ['warning', 'critical']);
  const read = (name: string): Written | undefined => {
    const setting = section.get(name);
    return setting && { text: asText(setting), where: setting.where };
  };
  return { warning: read('warning'), critical: read('critical') };
}

/** @throws ParseError that names the setting and those that there are */
export function refuseUnknown(section: Section, known: readonly string[]): void {
  for (const [name, { where }] of section) {
    if (!known.includes(name)) throw new ParseError(where, `one of ${known.join(', ')}`, name);
  }
}

export function asText({ value, where }: Setting): string {
  if (typeof value === 'string') return value;
  throw new ParseError(where, 'one value', value instanceof Map ? 'a section' : 'a list');
}

export function asTexts({ value, where }: Setting): readonly string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Map) throw new ParseError(where, 'a value or a list', 'a section');
  return value as readonly string[];
}
