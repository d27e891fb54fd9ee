import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/collect/run.js';
import { SsSource } from '../../src/collect/ss.js';
import { SourceError } from '../../src/model/errors.js';
import { pathWith } from './support.js';

const sourceOf = (name: string) => new SsSource(run, { path: pathWith(name), proc: '/proc' });
const QUERY = { udp: false, unix: false };

async function faultOf(name: string): Promise<SourceError> {
  const error = await sourceOf(name)
    .look(QUERY, 3000)
    .catch((reason: unknown) => reason);
  if (!(error instanceof SourceError))
    throw new Error(`expected a SourceError, got ${JSON.stringify(error)}`);
  return error;
}

describe('SsSource with an ss that is', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sw-ss-'));
    process.env.FAKE_SS_LOG = join(folder, 'log');
  });
  afterEach(() => {
    delete process.env.FAKE_SS_LOG;
    rmSync(folder, { recursive: true });
  });
  const runs = () => readFileSync(join(folder, 'log'), 'utf8').trimEnd().split('\n');

  it('old: learns which flags it has, once, and says what is missing', async () => {
    const source = sourceOf('too-old');
    const look = await source.look(QUERY, 3000);
    expect(look.sockets.length).toBe(1);
    const row = look.sockets.row(0);
    expect(row.queues).toEqual({ kind: 'listener', length: 3, backlog: 128 });
    expect(row.inode).toBe(81234);
    expect(look.gaps).toEqual([
      {
        what: 'MPTCP connections that wait',
        why: 'ss is too old to show them: install iproute2 5.2 or newer, or use --source proc',
      },
    ]);
    expect(runs()).toEqual(['-HOnemiotMa', '-OnemiotMa', '-nemiotMa', '-nemiota']);
    await source.look(QUERY, 3000);
    expect(runs()).toHaveLength(5);
  });

  it('too old', async () => {
    const { fault, message, remedy } = await faultOf('ancient');
    expect(fault).toBe('too_old');
    expect(`${message}: ${remedy}`).toBe(
      'this ss is too old: it does not know -t: install iproute2 5.2 or newer, or use --source proc',
    );
  });

  it('hanging', async () => {
    const source = sourceOf('hanging');
    await expect(source.look(QUERY, 250)).rejects.toMatchObject({
      fault: 'timeout',
      message: 'ss did not finish within 250 ms and was ended',
    });
  });

  it('killed in the middle: half a table is no table', async () => {
    expect((await faultOf('killed')).message).toBe('ss was ended by SIGKILL before it had finished');
  });

  it('another program', async () => {
    const { fault, message, remedy } = await faultOf('garbage');
    expect(fault).toBe('garbage');
    expect(message).toMatch(/^ss printed something that is not a list of sockets: /);
    expect(remedy).toBe('run "ss -tan" and look; another program may be called ss here');
  });

  it('noisy: 10 MB on stderr do no harm, and are no news', async () => {
    const look = await sourceOf('noisy').look(QUERY, 10_000);
    expect(look.sockets.row(0).drops).toBe(7);
    expect(look.gaps).toEqual([]);
  });

  it('refused by the kernel, with exit code 0', async () => {
    const { fault, message } = await faultOf('rtnetlink');
    expect(fault).toBe('failed');
    expect(message).toBe('ss failed: RTNETLINK answers: Invalid argument');
  });

  it('failing', async () => {
    expect((await faultOf('failing')).message).toBe(
      'ss ended with exit code 1: Cannot open netlink socket: Address family not supported by protocol',
    );
  });
});
