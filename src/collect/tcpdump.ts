import { SourceError } from '../model/errors.js';
import type { CaptureClock, CaptureInfo, PacketBatch } from '../model/packets.js';
import { CaptureReader } from '../parse/capture/index.js';
import type { CaptureInput } from './capture.js';
import { CaptureCopy } from './capture-copy.js';
import { preloadRun } from './run.js';
import { DropWatch, droppedIn } from './tcpdump-drops.js';

export interface TcpdumpOptions {
  /** `any` where none was named. */
  readonly interface?: string | undefined;
  readonly ports: readonly number[];
  /** A filter of pcap-filter(7) in place of the one that the ports make. */
  readonly expression?: string | undefined;
  /** Whole packets of all protocols. */
  readonly full: boolean;
  /** Ends after so many packets. */
  readonly count?: number | undefined;
  /** Keeps the packets in this file. */
  readonly write?: string | undefined;
  /** Says what goes wrong beside the analysis, such as a disk that is full. */
  readonly onNote: (text: string) => void;
  /** How often tcpdump is asked what was dropped; 10,000 ms unless told. */
  readonly askEveryMs?: number | undefined;
}

/** Headers and the first bytes: enough for a ClientHello and the head of a request. */
const SNAP_BYTES = 768;
const END_MS = 3000;
const KEPT_STDERR = 8192;
const ASK_EVERY_MS = 10_000;

/**
 * Runs tcpdump and reads what it captures while it runs, until the signal: then tcpdump ends itself, so that it says what it has dropped.
 * Throws `SourceError` (`missing`, `permission`, `failed`).
 */
export async function runTcpdump(
  options: TcpdumpOptions,
  sink: (batch: PacketBatch) => void,
  input: CaptureInput = {},
): Promise<CaptureInfo> {
  const copy =
    options.write === undefined ? undefined : await CaptureCopy.open(options.write, options.onNote);
  try {
    return await capture(options, tcpdumpArgs(options), copy, sink, input);
  } catch (error) {
    // Interfaces that are no Ethernet have no tags, and libpcap refuses to look for them.
    const lacksTags = error instanceof SourceError && /no VLAN support/i.test(error.message);
    if (!lacksTags || options.expression !== undefined) throw error;
    return await capture(options, tcpdumpArgs(options, { tagged: false }), copy, sink, input);
  } finally {
    await copy?.end();
  }
}

async function capture(
  options: TcpdumpOptions,
  args: readonly string[],
  copy: CaptureCopy | undefined,
  sink: (batch: PacketBatch) => void,
  input: CaptureInput,
): Promise<CaptureInfo> {
  const { execa } = await preloadRun();
  const child = execa('tcpdump', args, {
    buffer: false,
    encoding: 'buffer',
    stdin: 'ignore',
    reject: false,
    cwd: '/',
    env: { LC_ALL: 'C', PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
    forceKillAfterDelay: END_MS,
  });
  let isEnding = false;
  const stop = () => {
    isEnding = true;
    clearInterval(ask);
    child.kill('SIGINT');
  };
  input.signal?.addEventListener('abort', stop, { once: true });
  const drops = new DropWatch(options.onNote);
  // It answers with its statistics on stderr (tcpdump(8), SIGUSR1).
  const ask = setInterval(() => child.kill('SIGUSR1'), options.askEveryMs ?? ASK_EVERY_MS);
  let stderr = '';
  child.stderr.on('data', (chunk: Uint8Array) => {
    stderr = (stderr + Buffer.from(chunk).toString()).slice(-KEPT_STDERR);
    if (!isEnding) drops.look(stderr);
  });
  const clock: CaptureClock = input.clock ?? { epochSeconds: undefined };
  const reader = new CaptureReader(sink, clock, { bufferBytes: 1 << 20 });
  let bytes = 0;
  try {
    for await (const chunk of child.stdout) {
      bytes += (chunk as Uint8Array).length;
      await copy?.write(chunk as Uint8Array);
      reader.write(chunk as Uint8Array);
      await input.between?.();
    }
  } finally {
    stop();
    input.signal?.removeEventListener('abort', stop);
  }
  const result = await child;
  const file = reader.file('tcpdump');
  const isFailure = result.exitCode !== 0 && input.signal?.aborted !== true;
  if (isFailure && file.packets === 0) throw failure(result.code, stderr);
  if (isFailure) options.onNote(`tcpdump ended early: ${lastLine(stderr)}`);
  const dropped = droppedIn(stderr);
  const { fault: _, ...known } = file;
  return {
    files: [{ ...known, ...(dropped !== undefined && { dropped }) }],
    epochSeconds: clock.epochSeconds ?? 0,
    packets: file.packets,
    bytes,
  };
}

/** `tagged`: also what comes with a VLAN tag. On `any` the kernel takes tags off, and libpcap knows none. */
export function tcpdumpArgs(
  { interface: device, ports, expression, full, count }: TcpdumpOptions,
  { tagged = device !== undefined && device !== 'any' } = {},
): string[] {
  return [
    ...['-i', device ?? 'any', '-n', '-U', '-w', '-', '-B', '16384'],
    ...['-s', full ? '0' : String(SNAP_BYTES)],
    ...(count === undefined ? [] : ['-c', String(count)]),
    ...(expression === undefined ? filterOf(ports, full, tagged) : ['--', expression]),
  ];
}

/** ICMP tells why a connect failed; DNS and QUIC belong to the story too. */
function filterOf(ports: readonly number[], full: boolean, tagged: boolean): string[] {
  if (full && ports.length === 0) return [];
  const wanted =
    ports.length > 0
      ? ports.map((port) => `port ${port}`).join(' or ')
      : 'tcp or udp port 53 or udp port 443';
  const plain = `${wanted} or icmp or icmp6`;
  // After `vlan` all that follows looks behind the tag (pcap-filter(7)): it has to come last.
  return ['--', tagged ? `${plain} or (vlan and (${plain}))` : plain];
}

const REMEDIES = {
  missing: 'install tcpdump, or read a saved capture with sockwatch pcap',
  permission: 'run as root, or give tcpdump CAP_NET_RAW (setcap cap_net_raw+ep)',
  device: 'list the interfaces with tcpdump -D',
};

function failure(code: string | undefined, stderr: string): SourceError {
  if (code === 'ENOENT') return new SourceError('missing', 'tcpdump was not found', REMEDIES.missing);
  const why = lastLine(stderr);
  if (code === 'EACCES' || /permission|not permitted|EPERM/i.test(why))
    return new SourceError('permission', `tcpdump may not capture: ${why}`, REMEDIES.permission);
  if (/No such device|doesn't exist|not up|disappeared|Network is down/i.test(why))
    return new SourceError('failed', `tcpdump: ${why}`, REMEDIES.device);
  return new SourceError('failed', `tcpdump failed: ${why}`);
}

/** What it said last, without its own name. */
const lastLine = (stderr: string): string =>
  stderr
    .split('\n')
    .map((line) => line.trim())
    .filter(
      (line) =>
        line !== '' &&
        !line.startsWith('(') &&
        !/^(tcpdump: )?(listening on|verbose output|data link|dropped privs)|packets? (captured|received|dropped)/.test(
          line,
        ),
    )
    .at(-1)
    ?.replace(/^tcpdump: /, '') ?? 'it did not say why';
