import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Agent } from './agent.js';
import type { Namespace } from './netns.js';

interface Where {
  readonly address: string;
  readonly port: number;
}

/** Clients of HTTP, in one process. */
export class HttpClient {
  static async start(namespace: Namespace): Promise<HttpClient> {
    return new HttpClient(await Agent.start(namespace, 'http_client.py'));
  }

  private constructor(private readonly agent: Agent) {}

  get pid(): number {
    return this.agent.pid;
  }

  /** One request for each wait, all at once, on new connections: their statuses. */
  burst(where: Where, waitsMs: readonly number[]): Promise<readonly number[]> {
    return this.agent.ask('burst', { ...where, waits_ms: waitsMs });
  }

  /** Connections that had one answer, and stay. */
  keep(where: Where, count: number): Promise<void> {
    return this.agent.ask('keep', { ...where, count });
  }
}

/** A server of Node with its own way of closing idle connections; gives its pid. */
export async function startNodeServer(
  namespace: Namespace,
  { address, port }: Where,
  keepAliveTimeoutMs: number,
): Promise<number> {
  const path = fileURLToPath(new URL('programs/http_server.mjs', import.meta.url));
  const child = namespace.spawn(process.execPath, [path, address, `${port}`, `${keepAliveTimeoutMs}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.stdout !== null) await once(child.stdout, 'data', { signal: AbortSignal.timeout(10_000) });
  return child.pid ?? 0;
}
