import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import zlib, { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readCaptures } from '../../src/collect/capture.js';
import { verifyCapture } from '../../src/collect/capture-verify.js';
import { runTcpdump, tcpdumpArgs } from '../../src/collect/tcpdump.js';
import { Conversation, pcap, pcapng, type Timed } from '../support/packets.js';

let folder: string;
const file = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sockwatch-capture-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function framesOf(...paths: string[]) {
  const frames: { frame: number; nanos: number }[] = [];
  const info = await readCaptures(paths, (batch) => {
    for (let index = 0; index < batch.count; index++)
      frames.push({ frame: batch.firstFrame + index, nanos: batch.nanos[index] ?? 0 });
  });
  return { frames, info };
}

const { packets } = new Conversation().handshake().close();
const at = (...times: readonly number[]): Timed[] =>
  times.map((time) => ({ time, bytes: new Uint8Array(60) }));

describe('reading captures', () => {
  it('knows compression by content, not by name', async () => {
    const path = file('plain-name', gzipSync(pcap(packets)));
    const { info } = await framesOf(path);
    expect(info).toMatchObject({ packets: packets.length, files: [{ compression: 'gzip', format: 'pcap' }] });
    const named = await framesOf(file('not-really.gz', pcap(packets)));
    expect(named.info.files[0]?.compression).toBeUndefined();
  });

  it('reads gzip of several members, as of rotated and joined logs', async () => {
    const whole = pcap(packets);
    const path = file(
      'members.pcap.gz',
      Buffer.concat([gzipSync(whole.subarray(0, 100)), gzipSync(whole.subarray(100))]),
    );
    expect((await framesOf(path)).info.packets).toBe(packets.length);
  });

  it('damaged gzip gives what stands before, and says so', async () => {
    const many = pcap(
      Array.from({ length: 5000 }, (_, index) => ({
        time: index,
        bytes: Buffer.from(`${Math.sin(index)}`.padEnd(60, 'x')),
      })),
    );
    const packed = gzipSync(many);
    const { info } = await framesOf(file('cut.pcap.gz', packed.subarray(0, packed.length >> 1)));
    expect(info.packets).toBeGreaterThan(100);
    expect(info.files[0]?.fault?.message).toContain('damaged compressed data');
  });

  it('zstd is unpacked, or named where this Node cannot', async () => {
    // The types are those of the oldest Node.
    const pack = (zlib as unknown as { zstdCompressSync?: (bytes: Uint8Array) => Uint8Array })
      .zstdCompressSync;
    if (pack === undefined) {
      const path = file('z', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]));
      await expect(framesOf(path)).rejects.toThrow(/zstd, which Node .* cannot unpack/);
      return;
    }
    const packed = pack(pcap(packets));
    expect((await framesOf(file('z', packed))).info).toMatchObject({
      packets: packets.length,
      files: [{ compression: 'zstd', format: 'pcap' }],
    });
    const harmed = Uint8Array.from(packed, (byte, at) => (at === 9 ? ~byte & 0xff : byte));
    const said = await framesOf(file('harmed', harmed)).then(
      ({ info }) => info.files[0]?.fault?.message,
      ({ message }: Error) => message,
    );
    expect(said).toMatch(/damaged|no capture/);
  });

  it('several files are one capture, in the order of time', async () => {
    const one = file('b.pcap', pcap(at(10, 12, 14)));
    const other = file('a.pcapng', pcapng(at(11, 13, 15)));
    const { frames, info } = await framesOf(one, other);
    expect(frames.map(({ nanos }) => nanos / 1e9)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(frames.map(({ frame }) => frame)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(info.files.map(({ packets: count }) => count)).toEqual([3, 3]);
  });

  it('rotated files in any order, more than may be open at a time', async () => {
    const paths = Array.from({ length: 40 }, (_, index) =>
      file(`rotated${(index * 7) % 40}`, pcap(at(100 + ((index * 7) % 40)))),
    );
    const { frames } = await framesOf(...paths);
    expect(frames.map(({ nanos }) => nanos)).toEqual(
      [...frames.map(({ nanos }) => nanos)].sort((a, b) => a - b),
    );
    expect(frames).toHaveLength(40);
  });

  it('one of several that is cut does not hide the others', async () => {
    const whole = pcap(at(1, 2));
    const { info } = await framesOf(file('c1', whole.subarray(0, whole.length - 5)), file('c2', pcap(at(3))));
    expect(info.packets).toBe(2);
    expect(info.files[0]?.fault?.message).toContain('the file is cut');
  });

  it('one of several that cannot be read does not hide the others; none that can is one error', async () => {
    const good = file('good', pcap(at(1, 2)));
    const empty = file('none', Buffer.alloc(0));
    const { info } = await framesOf(empty, good, join(folder, 'nowhere'));
    expect(info.packets).toBe(2);
    expect(info.files).toMatchObject([
      { name: empty, format: 'unknown', packets: 0, fault: { offset: 0, message: 'an empty file' } },
      { name: good, packets: 2 },
      { format: 'unknown', fault: { message: 'there is no such file' } },
    ]);
    expect(info.files[1]?.fault).toBeUndefined();
    await expect(framesOf(empty, join(folder, 'nowhere'))).rejects.toThrow(
      /^none of 2 captures could be read: .*an empty file; .*there is no such file$/,
    );
  });

  it.each([
    ['is not there', () => join(folder, 'nowhere'), 'there is no such file'],
    ['is a folder', () => folder, 'it is a directory'],
    ['is something else', () => file('text', Buffer.from('hello, world, hello')), 'this is no capture'],
    ['is empty', () => file('empty', Buffer.alloc(0)), 'an empty file'],
  ])('a file that %s: one line', async (_, path, message) => {
    await expect(framesOf(path())).rejects.toThrow(message);
  });

  it('ends where it is told to', async () => {
    const controller = new AbortController();
    controller.abort();
    const info = await readCaptures([file('big', pcap(packets))], () => {}, { signal: controller.signal });
    expect(info.packets).toBe(0);
  });
});

describe('the second reader', () => {
  it('agrees, and notices where something else was read', async () => {
    expect(await verifyCapture(file('v.pcap', pcap(packets)))).toMatchObject({
      agree: true,
      packets: packets.length,
    });
    // Version 2.2 has its lengths the other way round, which pcap-parser does not know.
    const cut: Timed[] = [{ time: 1, bytes: new Uint8Array(60), original: 90 }, ...at(2)];
    const result = await verifyCapture(file('old.pcap', pcap(cut, { minor: 2 })));
    expect(result.agree).toBe(false);
    expect(result.differences.length).toBeGreaterThan(0);
  });

  it.each([
    ['nanoseconds', pcap(packets, { nanoseconds: true })],
    ['pcapng', pcapng(packets)],
  ])('says what it cannot compare: %s', async (name, bytes) => {
    expect((await verifyCapture(file(`skip-${name}`, bytes))).skipped).toContain('pcap-parser reads no');
  });

  it('is not led astray by a forged length', async () => {
    const bytes = pcap(packets);
    bytes.writeUInt32LE(0x7ffffff0, 24 + 16 + (packets[0]?.bytes.length ?? 0) + 8);
    expect(await verifyCapture(file('forged.pcap', bytes))).toMatchObject({ packets: 1, agree: true });
  });
});

describe('tcpdump', () => {
  const args = (options: object) =>
    tcpdumpArgs({ ports: [], full: false, onNote: () => {}, ...options }).join(' ');

  it('captures little unless told otherwise', () => {
    expect(args({})).toContain('-i any -n -U -w - ');
    expect(args({})).toContain('-s 768 -- tcp or udp port 53 or udp port 443 or icmp or icmp6');
    expect(args({ full: true })).toMatch(/-s 0$/);
    expect(args({ ports: [443], interface: 'eth0' })).toMatch(
      /-i eth0 .* -- port 443 or icmp or icmp6 or \(vlan and \(port 443 or icmp or icmp6\)\)$/,
    );
    expect(args({ ports: [443, 80] })).toContain('-- port 443 or port 80 or icmp or icmp6');
    expect(args({ expression: '-w /etc/passwd' })).toMatch(/ -- -w \/etc\/passwd$/);
  });

  describe('while it runs', () => {
    const path = process.env.PATH;
    afterEach(() => {
      process.env.PATH = path;
    });
    /** A tcpdump of shell: a header without packets, 5 more dropped ones each time it is asked, and no tags on tun0. */
    const fake = () => {
      const folder = mkdtempSync(join(tmpdir(), 'sockwatch-tcpdump-'));
      writeFileSync(join(folder, 'header'), pcap([]));
      writeFileSync(
        join(folder, 'tcpdump'),
        `#!/bin/sh
case "$*" in *tun0*vlan*) echo "tcpdump: no VLAN support for Raw IP" >&2; exit 1;; esac
n=0
trap 'n=$((n+5)); echo "$n packets dropped by kernel" >&2' USR1
trap 'echo "40 packets dropped by kernel" >&2; exit 0' INT
cat '${folder}/header'
while :; do sleep 0.02; done
`,
        { mode: 0o755 },
      );
      process.env.PATH = `${folder}:${path}`;
      return folder;
    };
    const capture = (device: string, notes: string[], options: object = {}) => {
      const stop = new AbortController();
      const onNote = (text: string) => {
        notes.push(text);
        if (notes.length === 2) stop.abort();
      };
      const wish = { interface: device, ports: [], full: false, onNote, askEveryMs: 200, ...options };
      return runTcpdump(wish, () => {}, { signal: stop.signal });
    };

    it('says what is dropped each time there is more, and all of it at the end', async () => {
      const folder = fake();
      const notes: string[] = [];
      const info = await capture('eth0', notes);
      expect(notes[0]).toMatch(/^the kernel dropped 5 packets .*, 5 in all/);
      expect(notes[1]).toMatch(/^the kernel dropped 5 packets .*, 10 in all/);
      expect(info.files[0]?.dropped).toBe(40);
      rmSync(folder, { recursive: true });
    });

    it('asks for no tags where there can be none', async () => {
      const folder = fake();
      const notes: string[] = [];
      await capture('tun0', notes);
      expect(notes).toHaveLength(2);
      rmSync(folder, { recursive: true });
    });

    it('does not begin where it could not keep the packets', async () => {
      const notes: string[] = [];
      await expect(capture('eth0', notes, { write: '/nonexistent/x.pcap' })).rejects.toThrow(
        '/nonexistent/x.pcap cannot be written: there is no such folder',
      );
    });
  });
});
