import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AlertJson, SnapshotJson } from '../../src/model/json.js';
import type { ListenerJson } from '../../src/model/listener-json.js';
import type { Finished, Namespace, RunOptions } from './netns.js';

export const RUN_JS = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

interface SockwatchOptions extends RunOptions {
  /** Runs as the user `nobody`, without any capability. */
  readonly unprivileged?: boolean;
}

/** Words before a program that is to run as `nobody`, without any capability. */
export const NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups', '--'];

/** Runs the built command as a user would, in a namespace. */
export function sockwatch(
  namespace: Namespace,
  args: readonly string[],
  { unprivileged = false, ...options }: SockwatchOptions = {},
): Promise<Finished> {
  const words = [process.execPath, RUN_JS, ...args];
  return unprivileged
    ? namespace.run('setpriv', [...NOBODY, ...words], options)
    : namespace.run(process.execPath, words.slice(1), options);
}

/** What `sockwatch snapshot --format json` says there. */
export async function snapshot(
  namespace: Namespace,
  args: readonly string[] = [],
  options: SockwatchOptions = {},
): Promise<SnapshotJson> {
  const { code, stdout, stderr } = await sockwatch(
    namespace,
    ['snapshot', '--format', 'json', ...args],
    options,
  );
  if (code !== 0) throw new Error(`sockwatch snapshot ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as SnapshotJson;
}

/** Replays a recording as `live` shows it. */
export const replay = (namespace: Namespace, path: string, format: 'ndjson' | 'lines' = 'ndjson') =>
  sockwatch(namespace, ['live', '--replay', path, '--format', format, '--no-config']);

/** What a run of live says as NDJSON. */
export const saidIn = (stdout: string): (SnapshotJson | AlertJson)[] =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as SnapshotJson | AlertJson);
export const isAlert = (one: SnapshotJson | AlertJson): one is AlertJson =>
  one.schema === 'sockwatch.alert/1';
export const isSnapshot = (one: SnapshotJson | AlertJson): one is SnapshotJson =>
  one.schema === 'sockwatch.snapshot/1';

/** The only listener of a port. */
export function listenerOn(said: SnapshotJson, port: number): ListenerJson {
  const [listener, ...others] = listenersOn(said, port);
  if (listener === undefined)
    throw new Error(`no listener on port ${port} in ${JSON.stringify(said, null, 1)}`);
  if (others.length > 0) throw new Error(`${others.length + 1} listeners on port ${port}`);
  return listener;
}

export const listenersOn = (said: SnapshotJson, port: number): ListenerJson[] =>
  said.listeners.filter((listener) => listener.local_port === port);

export function listenerAt(said: SnapshotJson, local: string): ListenerJson {
  const found = said.listeners.find((listener) => listener.local === local);
  if (found === undefined) throw new Error(`no listener at ${local} in ${JSON.stringify(said, null, 1)}`);
  return found;
}

/** Why the user `nobody` cannot run this checkout with this Node, or `undefined` where it can. */
export function notForNobody(): string | undefined {
  const { status } = spawnSync('setpriv', [...NOBODY, process.execPath, '--check', RUN_JS], {
    stdio: 'ignore',
  });
  return status === 0 ? undefined : 'the user nobody may not read this checkout or run this node';
}
