import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ClosedSocket, LOST } from '../../src/collect/closed-socket.js';
import { ClosedTask, type ClosedTaskSpec, MOST_ROWS, RowRoom } from '../../src/collect/closed-task.js';
import { SourceError } from '../../src/model/errors.js';
import { SocketTable } from '../../src/model/table.js';
import { fixtureDir } from '../parse/golden.js';

const MESSAGE_BYTES = 380;
const message = new Uint8Array(readFileSync(`${fixtureDir}netlink/linux-6.18-closed.bin`)).subarray(
  0,
  MESSAGE_BYTES,
);

/** A kernel that has so many messages, and has dropped so many. */
class Kernel implements ClosedSocket {
  bufferBytes = 212_992;
  isClosed = false;

  constructor(
    public waiting: number,
    public lost: number | undefined = 0,
    public signals = 0,
    public fault?: SourceError,
  ) {}

  receive(buffer: Uint8Array): number {
    if (this.fault !== undefined) throw this.fault;
    if (this.signals > 0) {
      this.signals--;
      return LOST;
    }
    if (this.waiting === 0) return 0;
    this.waiting--;
    buffer.set(message);
    return MESSAGE_BYTES;
  }

  countLost(): number | undefined {
    return this.lost;
  }

  resize(bufferBytes: number): void {
    this.bufferBytes = bufferBytes;
  }

  deviceName(index: number): string {
    return `if${index}`;
  }

  close(): void {
    this.isClosed = true;
  }
}

const SPEC = { kind: 'closed', key: 'closed', bufferBytes: 1 << 20 } as const;
const OTHER = { ...SPEC, place: { id: '101', path: '/run/netns/web' } };
const open = (kernel: Kernel, spec: ClosedTaskSpec = SPEC, room = new RowRoom(0)) =>
  ClosedTask.open(1000, spec, room, async () => kernel);
const rowsOf = ({ batch }: ReturnType<ClosedTask['take']>): number[] =>
  batch.parts.map((parts) => SocketTable.fromParts(parts).length);

describe('the task that hears of sockets that end', () => {
  it('hands over what has come, in parts of bounded size, and once', async () => {
    const task = await open(new Kernel(MOST_ROWS + 10));
    task.beat();
    const first = task.take(1500);
    expect(rowsOf(first)).toEqual([MOST_ROWS, 10]);
    expect(first.batch).toMatchObject({ lost: 0, unconnected: 0, failedConnects: 0, spanMs: 500, gaps: [] });
    expect(first.transfer.length).toBeGreaterThan(0);
    const second = task.take(1700);
    expect(rowsOf(second)).toEqual([]);
    expect(second.batch.spanMs).toBe(200);
  });

  it('leaves with the kernel what nobody takes: it holds no more than seven parts', async () => {
    const kernel = new Kernel(100_000);
    const task = await open(kernel);
    for (let beat = 0; beat < 100; beat++) task.beat();
    expect(kernel.waiting).toBe(100_000 - 7 * MOST_ROWS);
    expect(rowsOf(task.take(2000))).toEqual(Array.from({ length: 7 }, () => MOST_ROWS));
    // And goes on where it was.
    expect(rowsOf(task.take(2100)).reduce((sum, rows) => sum + rows, 0)).toBe(100_000 - 7 * MOST_ROWS);
  });

  it('counts what the kernel had no room for by its counter, which wraps', async () => {
    const kernel = new Kernel(5, 2 ** 32 - 3, 2);
    const task = await open(kernel);
    kernel.lost = 7;
    expect(task.take(1100).batch.lost).toBe(10);
    expect(task.take(1200).batch.lost).toBe(0);
  });

  it('without a counter knows only whether some are missing', async () => {
    const kernel = new Kernel(5, 0, 1);
    kernel.lost = undefined;
    const task = await open(kernel);
    expect(task.take(1100).batch.lost).toBeUndefined();
    expect(task.take(1200).batch.lost).toBe(0);
  });

  it('says what is wrong, once, and goes on', async () => {
    const kernel = new Kernel(1, 0, 0, new SourceError('failed', 'the socket is broken'));
    const task = await open(kernel);
    task.beat();
    expect(task.take(1100).batch.gaps).toEqual([
      { what: 'connections that ended', why: 'the socket is broken' },
    ]);
    delete kernel.fault;
    const { batch } = task.take(1200);
    expect(batch.gaps).toEqual([]);
    expect(batch.parts).toHaveLength(1);
    task.close();
    expect(kernel.isClosed).toBe(true);
  });

  it('several of other namespaces hold no more together than there is room for, and give it back', async () => {
    const room = new RowRoom(100);
    const [one, two] = [new Kernel(80), new Kernel(80)];
    const tasks = [await open(one, OTHER, room), await open(two, OTHER, room)];
    for (const task of tasks) task.beat();
    expect([one.waiting, two.waiting]).toEqual([0, 60]);
    const taken = tasks.map((task) => rowsOf(task.take(1100)));
    // What the first gave back the second had.
    expect(taken).toEqual([[80], [80]]);
    expect(room.used).toBe(0);
    one.waiting = 30;
    tasks[0]?.beat();
    expect(room.used).toBe(30);
    tasks[0]?.close();
    expect(room.used).toBe(0);
  });

  it('lets the kernel keep as much as it is told', async () => {
    const kernel = new Kernel(0);
    const task = await open(kernel, OTHER);
    task.change({ ...OTHER, bufferBytes: 1 << 18 });
    expect(kernel.bufferBytes).toBe(1 << 18);
  });
});
