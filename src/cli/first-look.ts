import { SourceError, type SourceFault } from '../model/errors.js';
import type { Observation } from '../model/observation.js';

/** What no waiting mends: better said at once than shown on a screen. */
const HOPELESS: readonly string[] = [
  'missing',
  'too_old',
  'permission',
  'gone',
] satisfies readonly SourceFault[];

/**
 * The same observations once the first has come.
 * @throws SourceError when there is no source at all, as without ss
 */
export async function awaitFirstLook(
  observations: AsyncIterable<Observation>,
): Promise<AsyncIterable<Observation>> {
  const iterator = observations[Symbol.asyncIterator]();
  const first = await iterator.next();
  const fault = first.done ? undefined : hopelessFault(first.value);
  if (fault !== undefined) {
    await iterator.return?.();
    throw fault;
  }
  return resume(first, iterator);
}

function hopelessFault(observation: Observation): SourceError | undefined {
  if (observation.kind !== 'gap' || !HOPELESS.includes(observation.fault ?? '')) return undefined;
  const why = observation.gaps[0]?.why ?? 'there is no source of sockets';
  return new SourceError(observation.fault as SourceFault, why, observation.remedy);
}

async function* resume(
  first: IteratorResult<Observation, unknown>,
  rest: AsyncIterator<Observation>,
): AsyncGenerator<Observation> {
  try {
    for (let next = first; !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
