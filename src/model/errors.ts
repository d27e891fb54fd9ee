/** What a parser raises: where, what was expected, what came. Nothing else may leave a parser. */
export class ParseError extends Error {
  override readonly name = 'ParseError';

  constructor(
    readonly where: string,
    readonly expected: string,
    readonly got: string,
  ) {
    super(
      `${where}: expected ${expected}, got ${JSON.stringify(got.length > 80 ? `${got.slice(0, 77)}...` : got)}`,
    );
  }
}

/** A fault that the user can act on; `remedy` says how. Commands print it without a stack. */
export class SockwatchError extends Error {
  override readonly name: string = 'SockwatchError';

  constructor(
    message: string,
    readonly remedy?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export const SOURCE_FAULTS = [
  'missing',
  'too_old',
  'timeout',
  'killed',
  'failed',
  'garbage',
  'permission',
  // What was looked at by its name has ended meanwhile.
  'gone',
] as const;
export type SourceFault = (typeof SOURCE_FAULTS)[number];

/** A source of observations that could not be read: which fault, so that the screen can show a state and go on. */
export class SourceError extends SockwatchError {
  override readonly name = 'SourceError';

  constructor(
    readonly fault: SourceFault,
    message: string,
    remedy?: string,
    options?: ErrorOptions,
  ) {
    super(message, remedy, options);
  }
}
