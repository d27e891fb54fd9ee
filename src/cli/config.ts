import { type ConfigFile, readConfigFile } from '../collect/config-file.js';
import type { Section } from '../model/config.js';
import { ParseError } from '../model/errors.js';
import { refuseUnknown } from './check-settings.js';

/** The sections of a configuration. */
export interface Config {
  readonly path: string;
  readonly check: Section;
  readonly live: Section;
}

/**
 * The configuration of this run, `undefined` where there is none.
 * @throws ParseError (file, line and field) or SockwatchError
 */
export async function readConfig(named: string | undefined): Promise<Config | undefined> {
  const file = await readConfigFile(named, process.env);
  if (file === undefined) return undefined;
  refuseUnknown(file.settings, ['check', 'live']);
  return { path: file.path, check: sectionOf(file, 'check'), live: sectionOf(file, 'live') };
}

function sectionOf({ settings }: ConfigFile, name: string): Section {
  const setting = settings.get(name);
  if (setting === undefined) return new Map();
  if (setting.value instanceof Map) return setting.value as Section;
  throw new ParseError(setting.where, 'settings below it', String(setting.value));
}
