import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Section } from '../model/config.js';
import { SockwatchError } from '../model/errors.js';
import { readSmallFile } from './state-file.js';

const FILE = 'sockwatch/config.yaml';
const MOST_BYTES = 1 << 20;

/** Where a configuration is looked for: the user's own before the system's. */
export function configPaths(env: NodeJS.ProcessEnv): string[] {
  const { XDG_CONFIG_HOME, HOME } = env;
  const own = XDG_CONFIG_HOME?.startsWith('/') ? XDG_CONFIG_HOME : join(HOME ?? safeHome(), '.config');
  return [join(own, FILE), join('/etc', FILE)];
}

function safeHome(): string {
  try {
    return homedir();
  } catch {
    return '/';
  }
}

export interface ConfigFile {
  readonly path: string;
  readonly settings: Section;
}

/**
 * The configuration that holds: the file that was named, else the first that is there. The YAML reader is loaded only for a file.
 * Throws ParseError (file, line and field), or SockwatchError where a file cannot be read.
 */
export async function readConfigFile(
  named: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<ConfigFile | undefined> {
  for (const path of named === undefined ? configPaths(env) : [named]) {
    const text = readConfigText(path, named !== undefined);
    if (text === undefined) continue;
    const { parseConfig } = await import('../parse/config.js');
    return { path, settings: parseConfig(text, path) };
  }
  return undefined;
}

function readConfigText(path: string, isNamed: boolean): string | undefined {
  try {
    const text = readSmallFile(path, MOST_BYTES);
    if (text !== undefined || !isNamed) return text;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // What lies below something that is no folder, or that another user has shut, is not there for us.
    if (!isNamed && (code === 'ENOTDIR' || code === 'EACCES')) return undefined;
    throw new SockwatchError(`${path} could not be read: ${message}`, 'check the path and its permissions');
  }
  throw new SockwatchError(`${path} could not be read: there is no such file`, 'check the path');
}
