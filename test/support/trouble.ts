import { Agent } from './agent.js';
import type { Namespace } from './netns.js';

/** A program that has one fault, or what looks like it, as the test says. */
export class Trouble {
  static async start(namespace: Namespace): Promise<Trouble> {
    return new Trouble(await Agent.start(namespace, 'trouble.py'));
  }

  private constructor(private readonly agent: Agent) {}

  get pid(): number {
    return this.agent.pid;
  }

  listen(address: string, { port = 0, backlog = 512 } = {}): Promise<number> {
    return this.agent.ask('listen', { address, port, backlog });
  }

  /** Takes connections, and does nothing with them. */
  accept(count: number): Promise<void> {
    return this.agent.ask('accept', { count });
  }

  connect(address: string, port: number, count: number): Promise<void> {
    return this.agent.ask('connect', { address, port, count });
  }

  closeMade(count: number): Promise<void> {
    return this.agent.ask('close_made', { count });
  }

  closeTaken(count: number): Promise<void> {
    return this.agent.ask('close_taken', { count });
  }

  shutTaken(count: number): Promise<void> {
    return this.agent.ask('shut_taken', { count });
  }

  /** Gives the limit. */
  leaveDescriptors(free: number): Promise<number> {
    return this.agent.ask('leave_descriptors', { free });
  }

  /** Accepts for ever, as far as it can. */
  serve(): Promise<void> {
    return this.agent.ask('serve');
  }

  /** Without waiting; gives the number of bytes that were taken. */
  write(size: number): Promise<number> {
    return this.agent.ask('write', { size });
  }

  keepWriting(): Promise<void> {
    return this.agent.ask('keep_writing');
  }

  readSlowly(size: number, everyMs: number): Promise<void> {
    return this.agent.ask('read_slowly', { size, every_ms: everyMs });
  }

  /** Connects again and again from now on. */
  tryAgain(where: {
    readonly address: string;
    readonly port: number;
    readonly timeoutMs: number;
    readonly pauseMs: number;
    readonly factor?: number;
    readonly atOnce?: number;
  }): Promise<void> {
    const { address, port, timeoutMs, pauseMs, factor = 1, atOnce = 1 } = where;
    return this.agent.ask('try_again', {
      address,
      port,
      timeout_ms: timeoutMs,
      pause_ms: pauseMs,
      factor,
      at_once: atOnce,
    });
  }
}
