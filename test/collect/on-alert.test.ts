import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OnAlert } from '../../src/collect/on-alert.js';

let folder: string;
let failures: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sockwatch-on-alert-'));
  failures = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const script = (body: string): string => {
  const path = join(folder, 'program');
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
};
const runner = (program: string, args: string[] = [], timeoutMs = 5000) =>
  new OnAlert({
    command: [program, ...args],
    timeoutMs,
    showStderr: false,
    onFailure: (text) => failures.push(text),
  });
const message = (id: string, input = `{"id":"${id}"}`) => ({
  id,
  input,
  env: { SOCKWATCH_ALERT_SUBJECT: `subject of ${id}` },
});
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
/** A zombie that nobody has collected yet is dead. */
const isAlive = (pid: number) => {
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : ') Z';
  return !stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
};

describe('OnAlert', () => {
  it('gives each alert on stdin and in the environment, arguments untouched by any shell', async () => {
    const program = script('cat > "$1.in"; printf "%s|%s" "$SOCKWATCH_ALERT_SUBJECT" "$2" > "$1.env"');
    const alerts = runner(program, [join(folder, 'out'), '$(id) * "x"']);
    alerts.push(message('a'));
    await alerts.drain();
    await alerts.end();
    expect(read('out.in')).toBe('{"id":"a"}');
    expect(read('out.env')).toBe('subject of a|$(id) * "x"');
    expect(failures).toEqual([]);
  });

  it('runs one at a time, and the newest state of an alert replaces the one that waits', async () => {
    const program = script('cat >> "$1"; echo " begin" >> "$1"; sleep 0.2; echo "end" >> "$1"');
    const alerts = runner(program, [join(folder, 'log')]);
    alerts.push(message('a', 'a1'));
    alerts.push(message('b', 'b1'));
    alerts.push(message('c', 'c1'));
    alerts.push(message('b', 'b2'));
    await alerts.drain();
    await alerts.end();
    expect(read('log')).toBe('a1 begin\nend\nb2 begin\nend\nc1 begin\nend\n');
  });

  it('ends a program that hangs, with what it started, and goes on with the next alert', async () => {
    const program = script(
      'if [ "$(cat)" = hang ]; then sleep 60 & echo $! > "$1.pid"; wait; else touch "$1.next"; fi',
    );
    const alerts = runner(program, [join(folder, 'out')], 300);
    alerts.push(message('a', 'hang'));
    alerts.push(message('b', 'go'));
    await alerts.drain();
    await alerts.end();
    expect(existsSync(join(folder, 'out.next'))).toBe(true);
    expect(isAlive(Number(read('out.pid')))).toBe(false);
    expect(failures).toEqual([
      `${program} took longer than 300 ms and was ended; further failures are not said`,
    ]);
  });

  it('kills a program that ignores SIGTERM', async () => {
    const program = script('trap "" TERM; echo $$ > "$1"; while :; do sleep 0.05; done');
    const alerts = runner(program, [join(folder, 'pid')], 300);
    alerts.push(message('a'));
    await alerts.drain();
    await alerts.end();
    expect(isAlive(Number(read('pid')))).toBe(false);
    expect(failures).toHaveLength(1);
  });

  it('says a failure once', async () => {
    const program = script('exit 3');
    const alerts = runner(program);
    alerts.push(message('a'));
    alerts.push(message('b'));
    await alerts.drain();
    await alerts.end();
    expect(failures).toEqual([`${program} ended with status 3; further failures are not said`]);
  });

  it('says that a program was not found or may not be executed', async () => {
    const absent = runner(join(folder, 'absent'));
    absent.push(message('a'));
    await absent.drain();
    await absent.end();
    writeFileSync(join(folder, 'text'), 'no program');
    const text = runner(join(folder, 'text'));
    text.push(message('a'));
    await text.drain();
    await text.end();
    expect(failures[0]).toContain(`${join(folder, 'absent')} was not found`);
    expect(failures[1]).toContain(`${join(folder, 'text')} may not be executed`);
  });

  it('does not mind a program that reads no stdin', async () => {
    const alerts = runner(script('exec 0<&-; exit 0'));
    alerts.push(message('a', 'x'.repeat(1 << 20)));
    await alerts.drain();
    await alerts.end();
    expect(failures).toEqual([]);
  });

  it('reports what cannot even be started and goes on', async () => {
    const alerts = runner(script('exit 0'));
    alerts.push({ id: 'a', input: '', env: { SOCKWATCH_ALERT_MESSAGE: 'a\0b' } });
    await alerts.drain();
    await alerts.end();
    expect(failures[0]).toContain('could not be started');
  });

  it('leaves out the oldest when more than 100 wait, and says so', async () => {
    const program = script('cat >> "$1"; echo >> "$1"');
    const alerts = runner(program, [join(folder, 'log')]);
    for (let index = 0; index < 110; index++) alerts.push(message(`alert-${index}`, String(index)));
    await alerts.drain();
    await alerts.end();
    const seen = read('log').trim().split('\n');
    // The first runs already; of the 109 after it the newest 100 stay.
    expect(seen).toEqual(['0', ...Array.from({ length: 100 }, (_, index) => String(index + 10))]);
    expect(failures[0]).toContain('more than 100 alerts wait');
  });

  it('ends what runs when it is ended itself', async () => {
    const alerts = runner(script('echo $$ > "$1.tmp"; mv "$1.tmp" "$1"; sleep 60'), [join(folder, 'pid')]);
    alerts.push(message('a'));
    while (!existsSync(join(folder, 'pid'))) await sleep(10);
    await alerts.end();
    expect(isAlive(Number(read('pid')))).toBe(false);
  });
});
