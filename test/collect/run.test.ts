import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunRequest, run } from '../../src/collect/run.js';
import { SourceError } from '../../src/model/errors.js';
import { isAlive, pathWith, pidIn, until } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'sw-run-'));
beforeAll(() => {
  process.env.FAKE_SS_PID = join(folder, 'pid');
});
afterAll(() => {
  delete process.env.FAKE_SS_PID;
  rmSync(folder, { recursive: true });
});

const path = `${process.env.PATH}:/usr/sbin:/sbin`;
const request = (program: string, args: readonly string[], more: Partial<RunRequest> = {}): RunRequest => ({
  program,
  args,
  onStdout: () => {},
  timeoutMs: 5000,
  path,
  ...more,
});

const faultOf = async (running: Promise<unknown>): Promise<SourceError> => {
  const error = await running.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SourceError)) throw new Error(`expected a SourceError, got ${String(error)}`);
  return error;
};

describe('run', () => {
  it('streams stdout as bytes, and gives exit code and stderr', async () => {
    let bytes = 0;
    const result = await run(
      request('sh', ['-c', 'head -c 3000000 /dev/zero; echo sorry >&2; exit 3'], {
        onStdout: (chunk) => {
          expect(chunk).toBeInstanceOf(Uint8Array);
          bytes += chunk.length;
        },
      }),
    );
    expect(bytes).toBe(3_000_000);
    expect(result).toEqual({ exitCode: 3, stderr: 'sorry\n' });
  });

  it('uses no shell, the C locale, and the search path that it is given', async () => {
    const seen: Uint8Array[] = [];
    const onStdout = (chunk: Uint8Array) => void seen.push(chunk);
    await run(request('echo', ['$HOME; `id`'], { onStdout }));
    await run(request('sh', ['-c', 'echo "$LC_ALL $PWD"; printf %s "$PATH"'], { onStdout }));
    expect(Buffer.concat(seen).toString()).toBe(`$HOME; \`id\`\nC /\n${path}`);
  });

  it('drains stderr without end and keeps the whole lines of the first 4 KiB', async () => {
    const result = await run(request('ss', [], { path: pathWith('noisy') }));
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toBe('Failed to find cgroup2 mount\n'.repeat(141));
  });

  it('says what is missing and how to get it', async () => {
    const missing = await faultOf(run(request('ss', [], { path: folder })));
    expect(missing.fault).toBe('missing');
    expect(`${missing.message}: ${missing.remedy}`).toBe(
      'ss was not found: install iproute2 (Debian, Ubuntu) or iproute (Fedora)',
    );
  });

  it('says that a program may not be started', async () => {
    const denied = await faultOf(run(request('/etc/passwd', [])));
    expect(denied.fault).toBe('permission');
    expect(denied.message).toBe('/etc/passwd may not be started by this user');
  });

  it('ends a hanging program after the timeout', async () => {
    const late = await faultOf(run(request('ss', [], { path: pathWith('hanging'), timeoutMs: 300 })));
    expect(late.fault).toBe('timeout');
    expect(late.message).toBe('ss did not finish within 300 ms and was ended');
    expect(isAlive(await pidIn(join(folder, 'pid')))).toBe(false);
  });

  it('does not wait for a grandchild that holds the pipe', async () => {
    const started = performance.now();
    const late = await faultOf(run(request('ss', [], { path: pathWith('hanging-child'), timeoutMs: 200 })));
    expect(late.fault).toBe('timeout');
    expect(performance.now() - started).toBeLessThan(2500);
  });

  it('says that a program was killed', async () => {
    const killed = await faultOf(run(request('ss', [], { path: pathWith('killed') })));
    expect(killed.fault).toBe('killed');
    expect(killed.message).toBe('ss was ended by SIGKILL before it had finished');
  });

  it('ends the program on abort, and throws the reason', async () => {
    rmSync(join(folder, 'pid'), { force: true });
    const controller = new AbortController();
    const running = run(request('ss', [], { path: pathWith('hanging'), signal: controller.signal }));
    const pid = await pidIn(join(folder, 'pid'));
    expect(isAlive(pid)).toBe(true);
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    await until('the end of the program', () => !isAlive(pid));
  });

  it('starts nothing for a signal that has aborted', async () => {
    await expect(run(request('true', [], { signal: AbortSignal.abort(new Error('over')) }))).rejects.toThrow(
      'over',
    );
  });

  it('ends the program when the reader of its output throws', async () => {
    rmSync(join(folder, 'pid'), { force: true });
    const onStdout = () => {
      throw new Error('not readable');
    };
    await expect(run(request('ss', [], { path: pathWith('hanging'), onStdout }))).rejects.toThrow(
      'not readable',
    );
    expect(isAlive(await pidIn(join(folder, 'pid')))).toBe(false);
  });
});
