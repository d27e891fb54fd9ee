import { type CommandWords, type ProgramRun, runProgram } from './alert-program.js';

/** More alerts than this waiting at once: the oldest are left out, and that is said. */
const QUEUE_LIMIT = 100;

export interface AlertMessage {
  /** The same alert again replaces what still waits: the program gets its newest state. */
  readonly id: string;
  /** For stdin of the program. */
  readonly input: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface OnAlertOptions {
  readonly command: CommandWords;
  readonly timeoutMs: number;
  readonly showStderr: boolean;
  /** Called once, at the first failure, with one line. */
  readonly onFailure: (text: string) => void;
}

/** Hands alerts to a program, one at a time; a program that fails or hangs never disturbs the watch. */
export class OnAlert {
  private readonly waiting = new Map<string, AlertMessage>();
  private running: ProgramRun | undefined;
  private work: Promise<void> | undefined;
  private failed = false;
  private readonly killRunning = () => this.running?.kill();

  constructor(private readonly options: OnAlertOptions) {
    process.on('exit', this.killRunning);
  }

  push(message: AlertMessage): void {
    this.waiting.set(message.id, message);
    if (this.waiting.size > QUEUE_LIMIT) this.dropOldest();
    this.work ??= this.runAll();
  }

  /** Waits until every alert was handed over, each within its timeout. */
  async drain(): Promise<void> {
    await this.work;
  }

  /** Ends what runs and forgets what waits. */
  async end(): Promise<void> {
    this.waiting.clear();
    this.killRunning();
    await this.work;
    process.off('exit', this.killRunning);
  }

  private async runAll(): Promise<void> {
    for (const [id, message] of this.waiting) {
      this.waiting.delete(id);
      this.running = runProgram(this.options.command, { ...message, ...this.options });
      const fault = await this.running.ended;
      if (fault !== undefined) this.fail(fault);
    }
    this.running = undefined;
    this.work = undefined;
  }

  private dropOldest(): void {
    const [oldest] = this.waiting.keys();
    if (oldest !== undefined) this.waiting.delete(oldest);
    this.fail(`is too slow: more than ${QUEUE_LIMIT} alerts wait, the oldest were left out`);
  }

  private fail(why: string): void {
    if (this.failed) return;
    this.failed = true;
    this.options.onFailure(`${this.options.command[0]} ${why}; further failures are not said`);
  }
}
