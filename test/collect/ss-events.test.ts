import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClosedSource } from '../../src/collect/closed-source.js';
import { monotonicNow, originMaker } from '../../src/collect/origin.js';
import { SsEvents } from '../../src/collect/ss-events.js';
import type { Gap } from '../../src/model/observation.js';
import { SocketTable } from '../../src/model/table.js';
import { poll } from '../support/poll.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sw-ss-events-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const put = (name: string, script: string) =>
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
const LINE =
  'UNCONN 0 0 127.0.0.1:8080 127.0.0.1:4000 ino:0 sk:1 cubic rtt:0.1/0.05 bytes_acked:10 segs_out:5 segs_in:5';

/** As ss does where the kernel had no room for an event; the second time it stays. */
const DIES_ONCE = `
if [ -e ${'$'}0.again ]; then echo '${LINE}'; exec /bin/sleep 60; fi
: > ${'$'}0.again
printf 'UNCONN 0 0 127.0.0.1:8080 cut off'
/bin/sleep 0.5
echo 'Error in recvmsg: No buffer space available' >&2
exit 1`;

describe('ss -E', () => {
  it('is started again after its end, tells nothing meanwhile, and says so once', async () => {
    put('stdbuf', DIES_ONCE);
    const events = new SsEvents(folder, monotonicNow);
    try {
      const silence = await poll(async () => events.silence, 'its end', 30_000);
      expect(silence.why).toContain('No buffer space available');
      expect(events.take()).toBeUndefined();
      let rows = 0;
      const gaps: Gap[] = [];
      await poll(
        async () => {
          const { parts = [], gaps: more = [] } = events.take() ?? {};
          rows += parts.reduce((sum, one) => sum + SocketTable.fromParts(one).length, 0);
          gaps.push(...more);
          return rows > 0 && gaps.length > 0 ? true : undefined;
        },
        'its second life',
        30_000,
      );
      // What was cut off is no event.
      expect([rows, gaps]).toEqual([1, [silence]]);
      expect(events.silence).toBeUndefined();
      expect(events.take()?.gaps).toEqual([]);
    } finally {
      events.end();
    }
  });

  it('is not asked where /proc is all that may be read, and that is a gap of every namespace', async () => {
    const source = new ClosedSource('proc', folder, originMaker('/proc'));
    const [own, other] = [{ id: '1' }, { id: '2', place: { id: '2', path: '/run/netns/web' } }];
    source.follow([own, other]);
    const gap = {
      what: 'connections that ended',
      why: 'nobody is asked with --source proc: use netlink or ss',
    };
    expect(await source.take()).toEqual([]);
    for (const id of ['1', '2']) expect(source.silence.each.of(id)).toEqual([gap]);
    await source.end();
  });

  it('that cannot be had tells of nothing, and that is one gap', async () => {
    const source = new ClosedSource('ss', folder, originMaker('/proc'));
    const [own, other] = [{ id: '1' }, { id: '2', place: { id: '2', path: '/run/netns/web' } }];
    source.follow([own, other]);
    try {
      const [gap, ...others] = await poll(
        async () => (source.silence.each.of('1').length > 0 ? source.silence.each.of('1') : undefined),
        'a gap',
        30_000,
      );
      expect(gap?.why).toMatch(/^neither stdbuf .* nor script/);
      expect(others).toEqual([]);
      // There it would keep a namespace that is removed.
      expect(source.silence.each.of('2')).toEqual([
        { what: 'connections that ended', why: "ss is asked only in sockwatch's own namespace" },
      ]);
      expect(await source.take()).toEqual([]);
    } finally {
      await source.end();
    }
  });

  it('runs without setpriv, or with one that cannot do it', async () => {
    put('setpriv', "echo 'setpriv: unrecognized option --pdeathsig' >&2; exit 1");
    put('stdbuf', `echo '${LINE}'; exec /bin/sleep 60`);
    const events = new SsEvents(folder, monotonicNow);
    try {
      const taken = await poll(async () => events.take(), 'an event', 30_000);
      expect(taken.gaps).toEqual([]);
      expect(events.silence).toBeUndefined();
    } finally {
      events.end();
    }
  });
});
