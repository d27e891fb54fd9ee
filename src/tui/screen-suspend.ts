/** In case the stop was ignored: the kernel does not stop a process group that no shell could wake again. */
const IGNORED_AFTER_MS = 200;

export interface Suspendable {
  /** Gives the terminal back to the shell. */
  leave(): void;
  /** Takes it again and draws everything anew. */
  enter(): void;
}

/**
 * Ctrl-Z and SIGTSTP: leave, stop by the default action of the signal, and come back on SIGCONT. Ctrl-Z stops the
 * whole foreground group, as the terminal driver does when it is not in raw mode, so that `npm start` stops too.
 */
export class Suspender {
  private stopped = false;
  private ignored: NodeJS.Timeout | undefined;

  constructor(private readonly screen: Suspendable) {
    process.on('SIGTSTP', this.onStop);
    process.on('SIGCONT', this.onContinue);
  }

  /** From leaving on until the terminal is taken again: a look may end between SIGCONT and its handler. */
  get isAway(): boolean {
    return this.stopped;
  }

  suspendGroup(): void {
    this.stop(0);
  }

  close(): void {
    process.off('SIGTSTP', this.onStop);
    process.off('SIGCONT', this.onContinue);
  }

  private readonly onStop = (): void => this.stop(process.pid);

  private stop(target: number): void {
    if (this.stopped) return;
    this.stopped = true;
    this.screen.leave();
    // Without a listener the signal has its default action again, which respects orphaned groups; SIGSTOP does not.
    process.off('SIGTSTP', this.onStop);
    process.kill(target, 'SIGTSTP');
    // Holds the process up while it is stopped (signal handlers do not), and comes back where nothing stopped.
    this.ignored = setTimeout(this.resume, IGNORED_AFTER_MS);
  }

  /** Also after a SIGSTOP, which nobody can catch: the shell has used the terminal meanwhile. */
  private readonly onContinue = (): void => {
    if (!this.stopped) this.screen.leave();
    this.stopped = true;
    this.resume();
  };

  private readonly resume = (): void => {
    if (!this.stopped) return;
    this.stopped = false;
    clearTimeout(this.ignored);
    // Once only, whoever came first after the stop: with a listener left, the next stop would have no default action.
    process.off('SIGTSTP', this.onStop);
    process.on('SIGTSTP', this.onStop);
    this.screen.enter();
  };
}
