import { SockwatchError } from '../model/errors.js';

/** The command line was wrong: exit status 2. `problem` keeps the message, which oclif rewrites. */
export class UsageError extends SockwatchError {
  override readonly name = 'UsageError';

  constructor(readonly problem: string) {
    super(problem);
  }
}
