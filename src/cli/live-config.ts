import type { Section } from '../model/config.js';
import { asText, asTexts, refuseUnknown } from './check-settings.js';
import { readDuration, readPercent, readSampleRate } from './flags.js';
import { INTERVAL } from './live-flags.js';
import type { LiveFlags } from './live-options.js';

type Settable = Pick<
  LiveFlags,
  'interval' | 'sample-rate' | 'warn' | 'critical' | 'port' | 'filter' | 'on-alert'
>;

const SETTINGS = ['interval', 'sample-rate', 'warn', 'critical', 'port', 'filter', 'on-alert'] as const;

/**
 * What the section `live` of a configuration sets, but for what the command line gave.
 * @throws ParseError that names file, line and field
 */
export function readLiveSection(
  section: Section = new Map(),
  isGiven: (name: string) => boolean,
): Partial<Settable> {
  refuseUnknown(section, SETTINGS);
  const settings: { -readonly [K in keyof Settable]?: Settable[K] } = {};
  for (const [name, setting] of section) {
    if (isGiven(name)) continue;
    const { where } = setting;
    if (name === 'interval') settings.interval = readDuration(asText(setting), where, INTERVAL);
    if (name === 'sample-rate') settings[name] = readSampleRate(asText(setting), where);
    if (name === 'warn' || name === 'critical') settings[name] = readPercent(asText(setting), where);
    if (name === 'port') settings.port = [...asTexts(setting)];
    if (name === 'filter' || name === 'on-alert') settings[name] = asText(setting);
  }
  return settings;
}
