import { Agent } from './agent.js';
import type { Namespace } from './netns.js';

/** Where to listen or to connect: an address and a port, or the path of a Unix socket. */
export interface Where {
  readonly kind?: 'tcp' | 'mptcp' | 'unix-stream' | 'unix-seqpacket';
  readonly address?: string;
  readonly port?: number;
  /** Bytes of a Unix path in hexadecimal; a leading zero byte makes the name abstract. */
  readonly path_hex?: string;
}

export interface ListenOptions extends Where {
  readonly backlog: number;
  readonly v6only?: boolean;
  readonly reuseport?: boolean;
  readonly device?: string;
}

/** A listening socket of a test: where it is, and which descriptor of which process. */
export interface Listening {
  readonly socket: number;
  readonly port: number;
  readonly inode: number;
  readonly fd: number;
}

/** What became of a number of connect()s. */
export interface Connected {
  readonly first: number;
  readonly connected: number;
  readonly pending: number;
  readonly refused: readonly string[];
}

export const unixPath = (path: string | Uint8Array): string => Buffer.from(path).toString('hex');
export const abstractName = (name: string): string => unixPath(`\0${name}`);

/** A server that accepts only when the test says so. */
export class Server {
  static async start(namespace: Namespace): Promise<Server> {
    return new Server(await Agent.start(namespace, 'listener.py'));
  }

  private constructor(readonly agent: Agent) {}

  get pid(): number {
    return this.agent.pid;
  }

  listen(options: ListenOptions): Promise<Listening> {
    const inet = options.kind === undefined || options.kind === 'tcp' || options.kind === 'mptcp';
    return this.agent.ask('listen', inet ? { address: '127.0.0.1', port: 0, ...options } : options);
  }

  relisten({ socket }: Listening, backlog: number): Promise<void> {
    return this.agent.ask('relisten', { index: socket, backlog });
  }

  accept({ socket }: Listening, count: number): Promise<{ accepted: number }> {
    return this.agent.ask('accept', { index: socket, count });
  }

  /** Accepts and closes whatever comes, until `stop`. */
  run({ socket }: Listening): Promise<void> {
    return this.agent.ask('run', { index: socket });
  }

  stop({ socket }: Listening): Promise<void> {
    return this.agent.ask('stop', { index: socket });
  }

  close({ socket }: Listening): Promise<void> {
    return this.agent.ask('close', { index: socket });
  }

  /** `count` connections at once, accepted `holdMs` later: what a stalled acceptor does to its queue for a moment. */
  burst(
    { socket }: Listening,
    count: number,
    holdMs: number,
  ): Promise<{ accepted: number; held_ms: number }> {
    return this.agent.ask('burst', { index: socket, count, hold_ms: holdMs });
  }

  limitFiles(free: number): Promise<{ limit: number }> {
    return this.agent.ask('limit_files', { free });
  }

  acceptUntilError({ socket }: Listening): Promise<{ accepted: number; error: string }> {
    return this.agent.ask('accept_until_error', { index: socket });
  }

  /** Processes that share every socket of this one. */
  fork(count: number): Promise<{ pids: number[] }> {
    return this.agent.ask('fork', { count });
  }

  rename(name: string): Promise<void> {
    return this.agent.ask('rename', { name_hex: unixPath(name) });
  }

  udp(address: string, receiveBuffer: number): Promise<Omit<Listening, 'fd'>> {
    return this.agent.ask('udp', { address, receive_buffer: receiveBuffer });
  }
}

export class Clients {
  static async start(namespace: Namespace): Promise<Clients> {
    return new Clients(await Agent.start(namespace, 'clients.py'));
  }

  private constructor(readonly agent: Agent) {}

  /** Starts `count` connections and returns when `expect` of them (default: all) are complete. */
  connect(where: Where, count: number, expect = count): Promise<Connected> {
    const inet = where.path_hex === undefined;
    return this.agent.ask('connect', { ...(inet && { address: '127.0.0.1' }), ...where, count, expect });
  }

  /** A connect() that blocks, as clients of a full Unix listener do. */
  block(where: Where): Promise<void> {
    return this.agent.ask('block', where);
  }

  ports(first: number, count: number): Promise<number[]> {
    return this.agent.ask('ports', { first, count });
  }

  send(first: number, count: number, size: number): Promise<void> {
    return this.agent.ask('send', { first, count, size });
  }

  fin(first: number, count: number): Promise<void> {
    return this.agent.ask('fin', { first, count });
  }

  reset(first: number, count: number): Promise<void> {
    return this.agent.ask('reset', { first, count });
  }

  datagrams(where: { address: string; port: number }, count: number, size: number): Promise<void> {
    return this.agent.ask('datagrams', { ...where, count, size });
  }
}

/** A server with one listener, and clients of it, in one namespace. */
export async function serve(namespace: Namespace, options: ListenOptions) {
  const [server, clients] = await Promise.all([Server.start(namespace), Clients.start(namespace)]);
  return { server, clients, listening: await server.listen(options) };
}
