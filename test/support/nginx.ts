import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childrenOf, type Namespace } from './netns.js';
import { poll } from './poll.js';

export interface Nginx {
  readonly master: number;
  readonly worker: number;
}

const configuration = (http: string) => `
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  ${http}
}
`;

const plain = (port: number, backlog: number) =>
  `server { listen 127.0.0.1:${port} backlog=${backlog}; location / { return 200 "ok"; } location = /status { stub_status; } }`;

/** nginx with one worker and a folder of its own, listening in the namespace, which ends and removes both. */
export const startNginx = (namespace: Namespace, port: number, backlog: number): Promise<Nginx> =>
  startNginxWith(namespace, plain(port, backlog));

/** The same with what stands in its `http { }`. */
export async function startNginxWith(namespace: Namespace, http: string): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'sw-nginx-'));
  writeFileSync(join(folder, 'nginx.conf'), configuration(http));
  const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')];
  const child = namespace.spawn('nginx', args, { stdio: 'ignore' });
  const master = child.pid ?? 0;
  namespace.onRemove(async () => {
    for (const pid of childrenOf(master)) process.kill(pid, 'SIGCONT');
    if (child.kill('SIGTERM'))
      await once(child, 'close', { signal: AbortSignal.timeout(5000) }).catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  });
  const worker = await poll(() => childrenOf(master)[0], 'the worker of nginx');
  return { master, worker };
}

/** How many connections nginx has accepted, by its own count, the one that asks included. */
export async function acceptedByNginx(namespace: Namespace, port: number): Promise<number> {
  const script = `import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:${port}/status').read().decode())`;
  const said = await namespace.must('python3', '-c', script);
  const accepted = /accepts handled requests\s+(\d+)/.exec(said)?.[1];
  if (accepted === undefined) throw new Error(`nginx told no count: ${said}`);
  return Number(accepted);
}

/** wrk with a new connection for every request, until the namespace goes. */
export function startWrk(namespace: Namespace, port: number, connections: number): void {
  const url = `http://127.0.0.1:${port}/`;
  const args = ['-t1', `-c${connections}`, '-d600s', '--timeout', '30s', '-H', 'Connection: close', url];
  namespace.spawn('wrk', args, { stdio: 'ignore' });
}
