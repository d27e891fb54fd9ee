import { describe, expect, it } from 'vitest';
import {
  parseCpuGroups,
  parseCpuStat,
  parseSchedstat,
  parseSyscall,
  parseTaskState,
} from '../../../src/parse/proc/task.js';

// Lines of a kernel 6.18.
const RECV = '45 0x4 0x7fe0bc0ba210 0x63 0x0 0x0 0x0 0x7fe0bbd90a10 0x7fe0bc528974';

describe('parseSyscall', () => {
  it.each([
    ['a thread in recv()', RECV, 'x64', { kind: 'reading', fd: 4 }],
    [
      'in accept4()',
      '288 0x3 0x7fe0bad8aa10 0x7fe0bad8aa04 0x80000 0x0 0x0 0x1 0x2',
      'x64',
      { kind: 'accepting' },
    ],
    ['in epoll_pwait()', '281 0xe 0x7ffdf993b900 0x400 0xb53 0x0 0x8 0x1 0x2', 'x64', { kind: 'polling' }],
    ['in poll() for one', '7 0x7f12 0x1 0xffffffff 0x0 0x0 0x0 0x1 0x2', 'x64', { kind: 'polling-one' }],
    ['in poll() for two', '7 0x7f12 0x2 0xffffffff 0x0 0x0 0x0 0x1 0x2', 'x64', { kind: 'polling' }],
    ['in wait4()', '61 0xffffffffffffffff 0x7ffd 0x0 0x0 0x0 0x0 0x1 0x2', 'x64', { kind: 'parked' }],
    ['in pause()', '34 0x0 0x0 0x0 0x0 0x0 0x0 0x1 0x2', 'x64', { kind: 'parked' }],
    ['in futex()', '202 0x368f3b30 0x189 0x0 0x0 0x0 0xffffffff 0x1 0x2', 'x64', { kind: 'parked' }],
    ['in another call (kill)', '62 0x1 0x2 0x0 0x0 0x0 0x0 0x1 0x2', 'x64', { kind: 'other' }],
    ['the same number elsewhere', RECV, 'arm64', { kind: 'other' }],
    ['recvfrom() of arm64', '207 0x5 0x1 0x2 0x0 0x0 0x0 0x1 0x2', 'arm64', { kind: 'reading', fd: 5 }],
    ['running', 'running\n', 'x64', { kind: 'running' }],
    ['outside of a call', '-1 0x7ffd 0x7fe0', 'x64', { kind: 'other' }],
  ])('%s', (_, text, architecture, doing) => {
    expect(parseSyscall(text, architecture)).toEqual(doing);
  });

  it('knows nothing of what it does not know', () => {
    expect(parseSyscall('', 'x64')).toBeUndefined();
    expect(parseSyscall('45', 'x64')).toBeUndefined();
    expect(parseSyscall(RECV, 'riscv64')).toBeUndefined();
  });
});

describe('parseTaskState', () => {
  it('is not misled by a comm', () => {
    expect(parseTaskState('812 (nginx) S 1 812 812')).toBe('S');
    expect(parseTaskState('813 (a) R (b)) T 1 813')).toBe('T');
    expect(parseTaskState('')).toBeUndefined();
  });
});

describe('schedstat and control groups', () => {
  it('reads times in ns as ms', () => {
    expect(parseSchedstat('45467486 31950059 43\n')).toEqual({ runMs: 45.467486, waitMs: 31.950059 });
    expect(parseSchedstat('')).toBeUndefined();
  });

  it('finds the groups of both versions, and none outside of the mount', () => {
    expect(parseCpuGroups('9:name=systemd:/\n2:cpuacct:/\n1:cpu:/box\n0::/user.slice\n')).toEqual({
      v1: '/box',
      v2: '/user.slice',
    });
    expect(parseCpuGroups('3:cpu,cpuacct:/a\n0::/../../etc\n')).toEqual({ v1: '/a' });
  });

  it('reads throttling of both versions', () => {
    expect(parseCpuStat('nr_periods 20\nnr_throttled 12\nthrottled_time 804000000\n')).toEqual({
      times: 12,
      ms: 804,
    });
    expect(parseCpuStat('usage_usec 5\nnr_periods 2\nnr_throttled 1\nthrottled_usec 90500\n')).toEqual({
      times: 1,
      ms: 90.5,
    });
    // Without the controller there are only usages.
    expect(parseCpuStat('usage_usec 5\nuser_usec 3\n')).toBeUndefined();
  });
});
