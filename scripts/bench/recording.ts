import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import { reportIn } from '../../src/cli/recorded-look.js';
import { Recorder } from '../../src/cli/recorder.js';
import { spanOf } from '../../src/cli/replay.js';
import { RecordingFile } from '../../src/collect/recording-file.js';
import { RecordingWriter } from '../../src/collect/recording-writer.js';
import type { TableObservation } from '../../src/model/observation.js';
import type { ProcessFacts } from '../../src/model/processes.js';
import { SOCKET_STATES } from '../../src/model/sockets.js';
import { SocketTable } from '../../src/model/table.js';
import { millis, monotonicMillis, wallMillis } from '../../src/model/units.js';
import { PLAIN_NAMES } from '../../src/render/names.js';
import { RecordingEncoder } from '../../src/render/recording/encoder.js';
import { summarise, type Times } from './measure.js';

const SECONDS = 3600;
const SEEKS = 20;
const say = (text: string) => process.stdout.write(`${text}\n`);

export interface RecordingFigures {
  readonly sockets: number;
  /** Share of the connections on which data move each second, beside those whose queues are not empty. */
  readonly busyShare: number;
  readonly megabytes: number;
  /** Of one core, for an hour of looks at 1 s. */
  readonly writeShare: number;
  readonly openMs: number;
  readonly seekMs: Times;
}

/**
 * An hour of a made host: each second 1 % of its connections move data, half a percent end and as many begin, and the ages of all go on.
 * On a busy one requests and answers go on a share of the others too, which leave no queue behind.
 * Measures the compressed file, what writing it costs, and how long a moment takes to be shown.
 */
export async function measureRecording(busyShare = 0, sockets = 10_000): Promise<RecordingFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'sockwatch-bench-'));
  const path = join(folder, 'hour.ndjson.gz');
  try {
    const recorder = new Recorder(
      new RecordingEncoder(PLAIN_NAMES, 'bench'),
      new RecordingWriter({ path, keep: 0 }),
    );
    const host = new MadeHost(sockets, busyShare);
    let cpu = 0;
    for (let second = 0; second < SECONDS; second++) {
      const observation = host.look(second);
      const before = process.cpuUsage();
      await recorder.take(observation);
      const { user, system } = process.cpuUsage(before);
      cpu += (user + system) / 1e6;
    }
    await recorder.close();
    const started = performance.now();
    const recording = await RecordingFile.open(path);
    const { start, end } = spanOf(recording);
    const openMs = performance.now() - started;
    const seeks: number[] = [];
    for (let seek = 0; seek < SEEKS; seek++) {
      const time = start + ((end - start) * (seek * 7 + 3)) / (SEEKS * 7);
      const before = performance.now();
      await reportIn(recording, new Date(time).toISOString(), {
        thresholds: DEFAULT_THRESHOLDS,
        oneLook: true,
      });
      seeks.push(performance.now() - before);
    }
    const figures = {
      sockets,
      busyShare,
      megabytes: statSync(path).size / 1e6,
      writeShare: cpu / SECONDS,
      openMs,
      seekMs: summarise(seeks),
    };
    report(figures);
    return figures;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report({ sockets, busyShare, megabytes, writeShare, openMs, seekMs }: RecordingFigures): void {
  say(
    `\nrecording of an hour, ${sockets.toLocaleString('en')} sockets, data on ${Math.min(100, 1 + busyShare * 100).toFixed(0)} % of them each second, a look each second (made, not listened to)`,
  );
  say(`${megabytes.toFixed(1)} MB compressed; writing takes ${(writeShare * 100).toFixed(1)} % of a core`);
  say(
    `opening ${openMs.toFixed(0)} ms; a moment is found in ${seekMs.median.toFixed(0)} ms, ${seekMs.max.toFixed(0)} ms at most`,
  );
}

const START = 1_763_000_000_000;
const [ESTABLISHED, LISTEN] = [SOCKET_STATES.indexOf('established'), SOCKET_STATES.indexOf('listen')];

/** For a tenth of the hour its listener has a queue, behind which four workers of fifty threads are recorded. */
const TROUBLE_SECONDS = SECONDS / 10;
const workers = (second: number): ReadonlyMap<number, ProcessFacts> =>
  new Map(
    Array.from({ length: 4 }, (_, worker) => [
      1000 + worker,
      {
        state: 'S',
        threads: {
          threads: 50,
          looked: 50,
          accepting: 0,
          polling: 1,
          pollingOne: 0,
          parked: (second + worker) % 9,
          running: second % 3,
          blockedOnDisk: 0,
          readingFrom: Array.from(
            { length: 40 },
            (_, thread) => 900_000 + worker * 1000 + thread + (second >> 3),
          ),
        },
        cpuMs: millis(second * 713 + worker * 17),
        runWaitMs: millis(second * 31),
        throttled: { times: second, ms: millis(second * 40) },
      },
    ]),
  );

/** A host with one listener and many connections, the same for the same numbers. */
class MadeHost {
  private readonly born: Float64Array;
  private readonly moved: Float64Array;
  private readonly exchanges: Float64Array;
  private readonly ids: Uint32Array;
  private nextId = 1;
  private seed = 7;

  constructor(
    private readonly sockets: number,
    private readonly busyShare: number,
  ) {
    this.born = new Float64Array(sockets);
    this.moved = new Float64Array(sockets);
    this.exchanges = new Float64Array(sockets);
    this.ids = Uint32Array.from({ length: sockets }, () => this.nextId++);
  }

  look(second: number): TableObservation {
    const queues = new Uint32Array(this.sockets);
    for (let count = 0; count < this.sockets / 100; count++) {
      const socket = this.pick();
      this.moved[socket] = second;
      this.exchanges[socket] = (this.exchanges[socket] ?? 0) + 1;
      queues[socket] = this.pick();
    }
    for (let socket = 0; socket < this.sockets * this.busyShare; socket++) {
      this.moved[socket] = second - ((this.pick() * 997) % 1000) / 1000;
      this.exchanges[socket] = (this.exchanges[socket] ?? 0) + 1 + (this.pick() % 3);
    }
    for (let count = 0; count < this.sockets / 200; count++) {
      const socket = this.pick();
      this.exchanges[socket] = 0;
      this.ids[socket] = this.nextId++;
      this.born[socket] = this.moved[socket] = second;
    }
    return {
      kind: 'table',
      origin: {
        time: wallMillis(START + second * 1000),
        monotonic: monotonicMillis(1e6 + second * 1000),
        host: 'made',
        netns: '1',
        bootId: 'b',
        source: 'ss',
      },
      scope: 'all',
      sockets: this.table(second, queues),
      ...(second < TROUBLE_SECONDS && { processes: workers(second) }),
      counters: { ListenOverflows: second, PassiveOpens: second * 50, InSegs: second * 1234 },
      tookMs: millis(20),
      skippedTicks: 0,
      gaps: [],
    };
  }

  private table(second: number, queues: Uint32Array): SocketTable {
    const table = new SocketTable();
    table.reserve(this.sockets + 1);
    this.add(table, LISTEN, 0xffffff, 0);
    table.recvQueue[0] = second % 5;
    table.sendQueue[0] = 511;
    for (let socket = 0; socket < this.sockets; socket++) {
      const row = this.add(table, ESTABLISHED, this.ids[socket] ?? 0, 1024 + socket);
      const idleMs = (second - (this.moved[socket] ?? 0)) * 1000;
      table.recvQueue[row] = queues[socket] ?? 0;
      table.remoteAddress[row * 4 + 3] = 0x0a000000 + (this.ids[socket] ?? 0);
      table.set('lastSentMs', row, idleMs);
      table.set('lastReceivedMs', row, idleMs);
      table.set('lastAckMs', row, idleMs);
      table.set('rttMs', row, 0.1 + ((socket * 31 + second) % 100) / 100);
      const exchanges = this.exchanges[socket] ?? 0;
      table.set('bytesSent', row, exchanges * (1000 + (socket % 700)) + socket);
      table.set('bytesReceived', row, exchanges * 300 + socket);
      table.set('segmentsOut', row, exchanges * 2 + 2);
      table.set('segmentsIn', row, exchanges * 2 + 1);
      table.set('dataSegmentsOut', row, exchanges);
      table.set('dataSegmentsIn', row, exchanges);
    }
    return table;
  }

  private add(table: SocketTable, state: number, id: number, port: number): number {
    const row = table.append();
    table.state[row] = state;
    table.family[row] = 4;
    table.localAddress[row * 4 + 3] = 0x0a000001;
    table.localPort[row] = 443;
    table.remotePort[row] = port;
    table.cookieLow[row] = id;
    for (const flag of ['queues', 'cookie', 'localPortKnown', 'remotePortKnown'] as const)
      table.setFlag(row, flag);
    table.set('inode', row, id);
    table.setOwners(row, [{ pid: 812, fd: 6 + (port % 1000), name: 'nginx' }]);
    return row;
  }

  /** A socket by chance, but the same chance each time. */
  private pick(): number {
    this.seed = (Math.imul(this.seed, 1_103_515_245) + 12_345) >>> 0;
    return this.seed % this.sockets;
  }
}
