import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { SourceError } from '../model/errors.js';
import type { CaptureClock, CaptureInfo, PacketBatch } from '../model/packets.js';
import { CaptureReader } from '../parse/capture/index.js';
import type { CaptureInput } from './capture.js';
import { preloadRun } from './run.js';

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
}

/** Headers and the first bytes: enough for a ClientHello and the head of a request. */
const SNAP_BYTES = 768;
const END_MS = 3000;
const KEPT_STDERR = 8192;

/**
 * Runs tcpdump and reads what it captures while it runs, until the signal: then tcpdump ends itself, so that it says what it has dropped.
 * Throws `SourceError` (`missing`, `permission`, `failed`).
 */
export async function runTcpdump(
  options: TcpdumpOptions,
  sink: (batch: PacketBatch) => void,
  input: CaptureInput = {},
): Promise<CaptureInfo> {
  const { execa } = await preloadRun();
  const child = execa('tcpdump', tcpdumpArgs(options), {
    buffer: false,
    encoding: 'buffer',
    stdin: 'ignore',
    reject: false,
    cwd: '/',
    env: { LC_ALL: 'C', PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
    forceKillAfterDelay: END_MS,
  });
  const stop = () => {
    child.kill('SIGINT');
  };
  input.signal?.addEventListener('abort', stop, { once: true });
  let stderr = '';
  child.stderr.on('data', (chunk: Uint8Array) => {
    stderr = (stderr + Buffer.from(chunk).toString()).slice(-KEPT_STDERR);
  });
  const clock: CaptureClock = input.clock ?? { epochSeconds: undefined };
  const reader = new CaptureReader(sink, clock, { bufferBytes: 1 << 20 });
  const copy = options.write === undefined ? undefined : new Copy(options.write, options.onNote);
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
    await copy?.end();
  }
  const result = await child;
  const file = reader.file('tcpdump');
  const isFailure = result.exitCode !== 0 && input.signal?.aborted !== true;
  if (isFailure && file.packets === 0) throw failure(result.code, stderr);
  if (isFailure) options.onNote(`tcpdump ended early: ${lastLine(stderr)}`);
  const dropped = /(\d+) packets? dropped by kernel/.exec(stderr)?.[1];
  const { fault: _, ...known } = file;
  return {
    files: [{ ...known, ...(dropped !== undefined && { dropped: Number(dropped) }) }],
    epochSeconds: clock.epochSeconds ?? 0,
    packets: file.packets,
    bytes,
  };
}

export function tcpdumpArgs({ interface: device, ports, expression, full, count }: TcpdumpOptions): string[] {
  return [
    ...['-i', device ?? 'any', '-n', '-U', '-w', '-', '-B', '16384'],
    ...['-s', full ? '0' : String(SNAP_BYTES)],
    ...(count === undefined ? [] : ['-c', String(count)]),
    ...(expression === undefined ? filterOf(ports, full) : ['--', expression]),
  ];
}

/** ICMP tells why a connect failed; DNS and QUIC belong to the story too. */
function filterOf(ports: readonly number[], full: boolean): string[] {
  const errors = 'icmp or icmp6';
  if (ports.length > 0) return ['--', `${ports.map((port) => `port ${port}`).join(' or ')} or ${errors}`];
  return full ? [] : ['--', `tcp or udp port 53 or udp port 443 or ${errors}`];
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
        !/^(tcpdump: )?(listening on|verbose output|data link|dropped privs)|packets? (captured|received|dropped)/.test(
          line,
        ),
    )
    .at(-1)
    ?.replace(/^tcpdump: /, '') ?? 'it did not say why';

/** The packets as they came, in a file that only its owner may read. A disk that is full ends the copy, not the analysis. */
class Copy {
  private readonly stream: WriteStream;
  private failed = false;

  constructor(path: string, onNote: (text: string) => void) {
    this.stream = createWriteStream(path, { mode: 0o600 });
    this.stream.on('error', (error) => {
      this.failed = true;
      onNote(`${path}: ${error.message}; the packets from here on are not kept`);
    });
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.failed || this.stream.write(chunk)) return;
    await Promise.race([once(this.stream, 'drain'), once(this.stream, 'close')]).catch(() => undefined);
  }

  async end(): Promise<void> {
    if (this.failed) return;
    this.stream.end();
    await once(this.stream, 'close').catch(() => undefined);
  }
}
