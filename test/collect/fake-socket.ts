import type { DiagSocket } from '../../src/collect/netlink-socket.js';
import type { DumpName } from '../../src/parse/netlink/index.js';
import { messagesOf, recorded } from '../parse/netlink/support.js';

const NAMES: Readonly<Record<string, DumpName>> = {
  '2/6': 'tcp4',
  '10/6': 'tcp6',
  '2/0': 'mptcp4',
  '10/0': 'mptcp6',
  '2/17': 'udp4',
  '10/17': 'udp6',
  '1/0': 'unix',
};

export interface Behaviour {
  /** Errno instead of an answer. */
  readonly refuses?: Partial<Record<DumpName, number>>;
  /** Gives the same part for ever. */
  readonly endless?: boolean;
  /** Says that so many bytes more had been there. */
  readonly cutOff?: number;
}

/** A kernel that answers with what was recorded, one message at a time. */
export class FakeSocket implements DiagSocket {
  readonly asked: DumpName[] = [];
  closed = 0;
  private parts: Uint8Array[] = [];

  constructor(private readonly behaviour: Behaviour = {}) {}

  send(request: Uint8Array): void {
    const view = new DataView(request.buffer, request.byteOffset);
    const name = NAMES[`${request[16]}/${request[17]}`] ?? 'tcp4';
    const sequence = view.getUint32(8, true);
    this.asked.push(name);
    const errno = this.behaviour.refuses?.[name];
    this.parts = errno === undefined ? answer(name, sequence) : [refusal(errno, sequence)];
  }

  receive(buffer: Uint8Array): number {
    const part = (this.behaviour.endless ? this.parts[0] : this.parts.shift()) ?? new Uint8Array();
    buffer.set(part);
    return part.length + (this.behaviour.cutOff === undefined ? 0 : buffer.length);
  }

  deviceName = (index: number): string => `dev${index}`;

  close(): void {
    this.closed++;
  }
}

function answer(name: DumpName, sequence: number): Uint8Array[] {
  const bytes = recorded(name);
  return messagesOf(bytes).map(({ at, size }) => {
    const part = bytes.slice(at, at + size);
    new DataView(part.buffer).setUint32(8, sequence, true);
    return part;
  });
}

function refusal(errno: number, sequence: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(36));
  for (const [at, word] of [36, 2, sequence, 0].entries()) view.setUint32(at * 4, word, true);
  view.setInt32(16, -errno, true);
  return new Uint8Array(view.buffer);
}
