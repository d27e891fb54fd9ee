import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PACKETS = 3_000_000;

export interface Traffic {
  readonly path: string;
  readonly bytes: number;
  end(): void;
}

/**
 * A capture of about 3 million packets of real traffic, made on the spot: nginx and wrk in two network namespaces joined by a veth
 * pair; short connections, kept ones, TLS 1.3 and bulk downloads, as tcpdump writes it.
 */
export async function makeTraffic(packets = PACKETS): Promise<Traffic> {
  const folder = mkdtempSync(join(tmpdir(), 'sockwatch-traffic-'));
  const path = join(folder, 'traffic.pcap');
  const host = new Host(folder);
  try {
    host.begin();
    await host.serve();
    const tcpdump = host.capture(path, packets);
    await once(tcpdump.stderr ?? tcpdump, 'data');
    await host.load(tcpdump);
  } finally {
    await host.end();
  }
  return { path, bytes: statSync(path).size, end: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Shares of the packets, and the load that makes them. */
const LOADS: readonly (readonly [share: number, words: readonly string[]])[] = [
  [0.66, ['-c', '32', '-H', 'Connection: close', 'http://10.90.0.1:8080/small']],
  [0.15, ['-c', '32', 'http://10.90.0.1:8080/small']],
  [0.15, ['-c', '16', '-H', 'Connection: close', 'https://10.90.0.1:8443/small']],
  [0.04, ['-c', '4', 'http://10.90.0.1:8080/bulk']],
];

class Host {
  private readonly names = [`sw-tr-s-${process.pid}`, `sw-tr-c-${process.pid}`] as const;
  private readonly children: ChildProcess[] = [];

  constructor(private readonly folder: string) {}

  begin(): void {
    const [server, client] = this.names;
    ip('netns', 'add', server);
    ip('netns', 'add', client);
    ip('link', 'add', 'veth0', 'netns', server, 'type', 'veth', 'peer', 'name', 'veth0', 'netns', client);
    for (const [name, address] of [
      [server, '10.90.0.1/24'],
      [client, '10.90.0.2/24'],
    ] as const) {
      ip('-n', name, 'address', 'add', address, 'dev', 'veth0');
      ip('-n', name, 'link', 'set', 'veth0', 'up');
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
  }

  private enter(name: string, words: readonly string[], stdio: 'ignore' | 'pipe' = 'ignore'): ChildProcess {
    const child = spawn('nsenter', [`--net=/run/netns/${name}`, '--', ...words], {
      stdio: ['ignore', 'ignore', stdio],
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    this.children.push(child);
    return child;
  }

  async serve(): Promise<void> {
    const { folder } = this;
    mkdirSync(join(folder, 'www'));
    writeFileSync(join(folder, 'www', 'small'), 'x'.repeat(600));
    writeFileSync(join(folder, 'www', 'bulk'), Buffer.alloc(1_000_000, 97));
    const key = join(folder, 'key.pem');
    const certificate = join(folder, 'cert.pem');
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        key,
        '-out',
        certificate,
        '-days',
        '2',
        '-subj',
        '/CN=sockwatch.test',
      ],
      { stdio: 'ignore' },
    );
    writeFileSync(join(folder, 'nginx.conf'), nginxConf(folder, key, certificate));
    this.enter(this.names[0], ['nginx', '-p', folder, '-c', join(folder, 'nginx.conf'), '-g', 'daemon off;']);
    await new Promise((resolve) => setTimeout(resolve, 1500));
  }

  capture(path: string, packets: number): ChildProcess {
    return this.enter(
      this.names[0],
      ['tcpdump', '-i', 'veth0', '-w', path, '-B', '262144', '-c', String(packets), '-Z', 'root'],
      'pipe',
    );
  }

  /** Each load until its share of the capture is there; the last until tcpdump has enough. */
  async load(tcpdump: ChildProcess): Promise<void> {
    const ended = once(tcpdump, 'exit');
    let isOver = false;
    void ended.then(() => {
      isOver = true;
    });
    while (!isOver) {
      for (const [share, words] of LOADS) {
        if (isOver) break;
        const wrk = this.enter(this.names[1], [
          'wrk',
          '-t',
          '1',
          '-d',
          `${Math.max(1, Math.round(share * 20))}s`,
          ...words,
        ]);
        await Promise.race([once(wrk, 'exit'), ended]);
      }
    }
  }

  async end(): Promise<void> {
    for (const child of this.children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    for (const name of this.names) ip('netns', 'del', name);
  }
}

const ip = (...words: string[]) => execFileSync('ip', words, { stdio: 'ignore' });

const nginxConf = (folder: string, key: string, certificate: string) => `
user root;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log /dev/null;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  keepalive_requests 1000000;
  server { listen 8080 backlog=4096; root ${folder}/www; }
  server { listen 8443 ssl backlog=4096; ssl_certificate ${certificate}; ssl_certificate_key ${key}; ssl_protocols TLSv1.3; root ${folder}/www; }
}
`;
