import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Contestant, race, type Times } from './measure.js';
import { makeTraffic } from './traffic.js';

const say = (text: string) => process.stdout.write(`${text}\n`);
const second = fileURLToPath(new URL('second-reader.ts', import.meta.url));

/** Peers that may be installed; a run that takes too long to repeat is timed once. */
const PEERS: readonly {
  readonly name: string;
  readonly command: (path: string) => readonly string[];
  readonly slow?: boolean;
}[] = [
  { name: 'cat', command: (path) => ['cat', path] },
  { name: 'capinfos -c', command: (path) => ['capinfos', '-c', path] },
  { name: 'argus', command: (path) => ['argus', '-r', path, '-w', '/dev/null'] },
  { name: 'tcptrace -n', command: (path) => ['tcptrace', '-n', path], slow: true },
  {
    name: 'tshark -q -z conv,tcp',
    command: (path) => ['tshark', '-r', path, '-q', '-z', 'conv,tcp'],
    slow: true,
  },
];

export interface CaptureFigures {
  readonly packets: number;
  readonly megabytes: number;
  readonly times: Readonly<Record<string, Times>>;
  readonly peakRssMegabytes: number;
}

/** Times `sockwatch pcap` on about 3 million packets that are made on the spot, against whichever peers are installed. */
export async function measureCaptures(cli: string, runs: number): Promise<CaptureFigures> {
  const traffic = await makeTraffic();
  try {
    const { path } = traffic;
    const own: Contestant[] = [
      { name: 'sockwatch pcap', command: [process.execPath, cli, 'pcap', path] },
      {
        name: 'sockwatch pcap --format ndjson',
        command: [process.execPath, cli, 'pcap', path, '--format', 'ndjson'],
      },
    ];
    const present = PEERS.filter(({ command }) => isInstalled(command(path)[0] ?? ''));
    const fast = present
      .filter(({ slow }) => !slow)
      .map(({ name, command }) => ({ name, command: command(path) }));
    const slow = present
      .filter(({ slow }) => slow)
      .map(({ name, command }) => ({ name, command: command(path) }));
    const reader = { name: 'npm pcap-parser', command: [process.execPath, '--import', 'tsx', second, path] };
    const times = new Map([...race([...fast, ...own], runs), ...race([reader, ...slow], 1)]);
    const peakRssMegabytes = peakOf([process.execPath, cli, 'pcap', path]);
    report(traffic.bytes, times, peakRssMegabytes);
    return {
      packets: 3_000_000,
      megabytes: traffic.bytes / 1e6,
      times: Object.fromEntries(times),
      peakRssMegabytes,
    };
  } finally {
    traffic.end();
  }
}

function report(bytes: number, times: ReadonlyMap<string, Times>, peak: number): void {
  const base = times.get('capinfos -c')?.median ?? Number.NaN;
  say(`\n3,000,000 packets, ${(bytes / 1e6).toFixed(0)} MB, whole processes (ms)`);
  say(
    `${'command'.padEnd(34)}${['min', 'median', 'max', '/ capinfos'].map((head) => head.padStart(11)).join('')}`,
  );
  for (const [name, { min, median, max }] of times) {
    const cells = [min.toFixed(0), median.toFixed(0), max.toFixed(0), (median / base).toFixed(2)];
    say(`${name.padEnd(34)}${cells.map((cell) => cell.padStart(11)).join('')}`);
  }
  say(`sockwatch pcap: peak RSS ${peak.toFixed(0)} MB`);
}

function isInstalled(program: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Peak resident memory of a command, MB: it is told by a preloaded line at its end. */
function peakOf([file = '', ...args]: readonly string[]): number {
  const tell =
    'data:text/javascript,process.on("exit",()=>{require("node:fs").writeSync(2,"peak "+process.resourceUsage().maxRSS)})';
  const preload = tell.replace('require("node:fs").writeSync(2,', 'process.stderr.write(');
  const script = `"$0" --import '${preload}' "$@" 2>&1 >/dev/null`;
  const said = execFileSync('sh', ['-c', script, file, ...args], { encoding: 'utf8' });
  return Number(/peak (\d+)/.exec(said)?.[1] ?? Number.NaN) / 1024;
}
