// Installs what the tests use of the system, on Debian and as root: nothing of it is started.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { run, say } from './setup.js';

/** Debian package by the program, or file, that the tests look for. */
const PACKAGES = {
  ss: 'iproute2',
  ip: 'iproute2',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  nft: 'nftables',
  nginx: 'nginx-light',
  wrk: 'wrk',
  python3: 'python3',
  tmux: 'tmux',
  tcpdump: 'tcpdump',
  openssl: 'openssl',
  promtool: 'prometheus',
  'prometheus-node-exporter': 'prometheus-node-exporter',
  mariadbd: 'mariadb-server',
  javac: 'default-jdk-headless',
  '/usr/share/java/HikariCP.jar': 'libhikaricp-java',
  '/usr/share/java/mariadb-java-client.jar': 'libmariadb-java',
  '/usr/share/java/slf4j-simple.jar': 'libslf4j-java',
  '/usr/share/java/tomcat10-catalina.jar': 'libtomcat10-java',
};
const POLICY = '/usr/sbin/policy-rc.d';

export function installDebianPackages() {
  const missing = new Set(
    Object.entries(PACKAGES)
      .filter(([program]) => !isInstalled(program))
      .map(([, name]) => name),
  );
  if (missing.size === 0) return;
  if (!isInstalled('apt-get') || process.getuid?.() !== 0) {
    say(`cannot install ${[...missing].join(', ')}: needs apt-get and root`);
    process.exit(1);
  }
  say(`installing ${[...missing].join(', ')} (apt-get)`);
  withoutStartingServices(() => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    run('apt-get', ['update', '-qq'], { env, stdio: ['ignore', 2, 2] });
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], {
      env,
      stdio: ['ignore', 2, 2],
    });
  });
}

/** policy-rc.d with status 101 tells Debian's packages not to start what they install. */
function withoutStartingServices(install) {
  const ours = !existsSync(POLICY);
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    if (ours) rmSync(POLICY, { force: true });
  }
}

function isInstalled(program) {
  if (program.startsWith('/')) return existsSync(program);
  const path = `${process.env.PATH}:/usr/sbin:/sbin`;
  return (
    spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program], {
      stdio: 'ignore',
      env: { ...process.env, PATH: path },
    }).status === 0
  );
}
