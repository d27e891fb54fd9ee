import { Errors } from '@oclif/core';
import { describe, expect, it } from 'vitest';
import { describeError } from '../../src/cli/base-command.js';
import { UsageError } from '../../src/cli/usage.js';
import { ParseError, SourceError } from '../../src/model/errors.js';

describe('describeError', () => {
  it.each([
    [
      new SourceError('missing', 'ss was not found', 'install iproute2'),
      'ss was not found; install iproute2',
    ],
    [
      new UsageError('--warn: expected a percentage'),
      '--warn: expected a percentage; see sockwatch snapshot --help',
    ],
    [
      new Errors.CLIError(
        'The following error occurred:\n  --duration=5s cannot also be provided when using --from\nSee more help with --help',
      ),
      'The following error occurred: --duration cannot also be provided when using --from; see sockwatch snapshot --help',
    ],
    [new ParseError('ss line 1', 'a state', 'x\x1b[2J'), 'ss line 1: expected a state, got "x\\u001b[2J"'],
    [new SourceError('garbage', 'ss said\n\tevil \x1b]0;x'), 'ss said evil \\e]0;x'],
    [
      new TypeError('x is not a function'),
      'unexpected TypeError: x is not a function; this is a fault of sockwatch: please report it with what SOCKWATCH_DEBUG=1 prints',
    ],
  ])('%s is one line with what to do', (error, line) => {
    expect(describeError(error, 'snapshot')).toBe(line);
  });
});
