import { Agent } from './agent.js';
import type { Namespace } from './netns.js';

/** A server that answers after a time, and closes when the test says so. */
export class Database {
  static async start(namespace: Namespace): Promise<Database> {
    return new Database(await Agent.start(namespace, 'database.py'));
  }

  private constructor(private readonly agent: Agent) {}

  get pid(): number {
    return this.agent.pid;
  }

  listen(address: string, port = 0): Promise<number> {
    return this.agent.ask('listen', { address, port });
  }

  /** Waits until so many connections were accepted. */
  accepted(least: number): Promise<number> {
    return this.agent.ask('accepted', { least });
  }

  /** Closes the oldest connections. */
  fin(count: number): Promise<void> {
    return this.agent.ask('fin', { count });
  }
}

interface Where {
  readonly address: string;
  readonly port: number;
}

/** A client that keeps connections and uses them as the test says. */
export class PoolClient {
  static async start(namespace: Namespace): Promise<PoolClient> {
    return new PoolClient(await Agent.start(namespace, 'pool.py'));
  }

  private constructor(private readonly agent: Agent) {}

  get pid(): number {
    return this.agent.pid;
  }

  /** Gives the number of the first. */
  open(where: Where, count: number): Promise<number> {
    return this.agent.ask('open', { ...where, count });
  }

  /** One request on each, with its answer. */
  query(first: number, count: number, ms: number): Promise<void> {
    return this.agent.ask('query', { first, count, ms });
  }

  /** So many small requests that the peer acknowledges no longer at once, as on any connection that is not new. */
  async warmUp(first: number, count: number): Promise<void> {
    for (let request = 0; request < 20; request++) await this.query(first, count, 0);
  }

  /** One request on each, whose answer nobody waits for. */
  ask(first: number, count: number, ms: number): Promise<void> {
    return this.agent.ask('ask', { first, count, ms });
  }

  /** Requests without a pause from now on. */
  busy(first: number, count: number, ms: number): Promise<void> {
    return this.agent.ask('busy', { first, count, ms });
  }

  /** A request on each of them every so often from now on. */
  paced(first: number, count: number, everyMs: number): Promise<void> {
    return this.agent.ask('paced', { first, count, every_ms: everyMs });
  }

  /** A connection for each request of so many ms. */
  churn(where: Where, everyMs: number, ms = 0): Promise<void> {
    return this.agent.ask('churn', { ...where, every_ms: everyMs, ms });
  }

  replace(where: Where, afterMs: number): Promise<void> {
    return this.agent.ask('replace', { ...where, after_ms: afterMs });
  }

  grow(where: Where, everyMs: number): Promise<void> {
    return this.agent.ask('grow', { ...where, every_ms: everyMs });
  }
}
