import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readSaved } from '../../src/collect/saved.js';

const folder = mkdtempSync(join(tmpdir(), 'sw-saved-'));
afterAll(() => rmSync(folder, { recursive: true }));

const LISTENERS = `State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process
LISTEN 129    128          0.0.0.0:443       0.0.0.0:*     users:(("nginx",pid=812,fd=6))
LISTEN 0      128             [::]:22           [::]:*     users:(("sshd",pid=700,fd=4))
`;
const save = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe('readSaved', () => {
  it('reads what ss printed elsewhere: host and namespace are not known', async () => {
    const seen = await readSaved(save('listeners', LISTENERS));
    expect(seen.sockets.length).toBe(2);
    expect(seen.sockets.row(0).queues).toEqual({ kind: 'listener', length: 129, backlog: 128 });
    expect(seen.sockets.row(0).owners).toEqual([{ pid: 812, fd: 6, name: 'nginx' }]);
    expect(seen.origin.source).toBe('file');
    expect(seen.origin.host).toBe('unknown');
    expect(seen.origin.netns).toBeUndefined();
    expect(seen.counters).toBeUndefined();
  });

  it('does not conclude from a list of listeners that nobody waits', async () => {
    expect((await readSaved(save('listeners', LISTENERS))).scope).toBe('listeners');
    const withConnection = `${LISTENERS}ESTAB 0 0 10.0.0.1:443 10.0.0.2:40112\n`;
    expect((await readSaved(save('all', withConnection))).scope).toBe('all');
  });

  it('reads stdin as "-"', async () => {
    const module = JSON.stringify(new URL('../../src/collect/saved.ts', import.meta.url).href);
    const script = `
      const { readSaved } = await import(${module});
      const seen = await readSaved('-');
      process.stdout.write(String(seen.sockets.length) + ' ' + seen.origin.source);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.stdin.end(LISTENERS);
    await once(child, 'close');
    expect(text).toBe('2 file');
  });

  it.each([
    ['a file that is not there', () => join(folder, 'none'), 'could not be read: there is no such file'],
    ['a directory', () => folder, 'could not be read: it is a directory'],
  ])('says what is wrong with %s', async (_what, path, message) => {
    await expect(readSaved(path())).rejects.toThrow(`${path()} ${message}`);
  });

  it('says that a file holds something else, and what it should hold', async () => {
    const path = save('html', '<html>\n<body>It works!</body>\n</html>\n');
    const error = await readSaved(path).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      name: 'SockwatchError',
      remedy: 'give it what ss printed, as from "ss -tunap > FILE"',
    });
    expect((error as Error).message.startsWith(`${path}: `)).toBe(true);
  });
});
