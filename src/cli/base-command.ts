import { Command } from '@oclif/core/command';
import * as Errors from '@oclif/core/errors';
import { ParseError, SockwatchError } from '../model/errors.js';
import { cleanText } from '../render/text.js';
import { isClosed } from './output.js';
import { UsageError } from './usage.js';

/** Exit statuses of every command but `check` (DESIGN.md, "Exit codes"). */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** What all commands share: an error is one line on stderr with its remedy, never a stack, and an exit status. */
export abstract class BaseCommand extends Command {
  /** oclif throws what stdout reports, which is a stack on the screen: writers here see those errors themselves. */
  protected override async init(): Promise<void> {
    await super.init();
    process.stdout.removeAllListeners('error');
    process.stdout.on('error', () => {});
  }

  protected override async catch(error: Error): Promise<never> {
    if (error instanceof Errors.ExitError) throw error;
    if (isClosed(error)) return this.exit(EXIT.done);
    process.stderr.write(`sockwatch ${this.id}: ${describeError(error, `${this.id}`)}\n`);
    if (process.env.SOCKWATCH_DEBUG !== undefined) process.stderr.write(`${error.stack}\n`);
    return this.exit(isUsage(error) ? EXIT.usage : EXIT.failed);
  }

  /** A remark beside the data: stderr, one line. */
  protected note(text: string): void {
    process.stderr.write(`note: ${oneLine(text)}\n`);
  }
}

const isUsage = (error: Error) => error instanceof UsageError || error instanceof Errors.CLIError;

/** One line for people: what went wrong and what to do. */
export function describeError(error: Error, command: string): string {
  if (error instanceof UsageError) return withRemedy(error.problem, seeHelp(command));
  if (error instanceof SockwatchError) return withRemedy(error.message, error.remedy);
  if (error instanceof ParseError) return oneLine(error.message);
  if (error instanceof Errors.CLIError) {
    return withRemedy(plainUsage(error.message), seeHelp(command));
  }
  // A full disk behind stdout, say: the system's own words.
  if ('syscall' in error) return oneLine(error.message);
  return withRemedy(
    `unexpected ${error.name}: ${error.message}`,
    'this is a fault of sockwatch: please report it with what SOCKWATCH_DEBUG=1 prints',
  );
}

/** oclif names the value of a flag that excludes another, and says the default where it was given another one. */
const plainUsage = (message: string) =>
  message
    .replace('See more help with --help', '')
    .replaceAll(/--([a-z-]+)=\S.*? cannot also be provided/gs, '--$1 cannot also be provided');

const seeHelp = (command: string) => `see sockwatch ${command} --help`;

const withRemedy = (message: string, remedy: string | undefined) =>
  oneLine(remedy === undefined ? message : `${oneLine(message)}; ${remedy}`);

const oneLine = (text: string) => cleanText(text.replace(/\s+/g, ' ').trim());
