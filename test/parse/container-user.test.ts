import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containerUser, homeOfUser } from '../../src/parse/container-user.js';

const ROOT_MAP = '         0          0 4294967295\n';
const USER_MAP = '         0       1000          1\n         1     100000      65536\n';
/** As with `--userns=keep-id`: within, the user has its own number. */
const KEPT_MAP = '         0     100000       1000\n      1000       1000          1\n';

describe('the user of a container', () => {
  it.each([
    [
      '0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-a1.scope/container\n',
      USER_MAP,
      1000,
    ],
    ['0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-a1.scope\n', KEPT_MAP, 1000],
    ['1:name=systemd:/user.slice/user-1001.slice/session-4.scope\n0::/\n', ROOT_MAP, 1001],
    ['0::/system.slice/app.service/libpod-payload-a1\n', USER_MAP, 1000],
    ['0::/machine.slice/libpod-a1.scope\n', ROOT_MAP, undefined],
    ['0::/user.slice/user-0.slice/session-1.scope\n', ROOT_MAP, undefined],
    ['0::/user-99999999999.slice/x\n', '', undefined],
    ['', '', undefined],
  ])('of %j', (cgroup, map, uid) => {
    expect(containerUser(cgroup, map)).toBe(uid);
  });
});

describe('the home of a user', () => {
  const PASSWD = [
    'root:x:0:0:root:/root:/bin/bash',
    'broken',
    'ann:x:1000:1000:Ann,,,:/home/ann:/bin/sh',
    'up:x:1001:1001::/home/../root:/bin/sh',
    'rel:x:1002:1002::home:/bin/sh',
    'none:x:1003:1003::',
  ].join('\n');

  it.each([
    [1000, '/home/ann'],
    [1001, undefined],
    [1002, undefined],
    [1003, undefined],
    [100, undefined],
  ])('of %i', (uid, home) => {
    expect(homeOfUser(PASSWD, uid)).toBe(home);
  });

  it('whatever the files hold, nothing is thrown', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        const uid = containerUser(one, other) ?? 7;
        expect(uid).toBeGreaterThan(0);
        expect(homeOfUser(one, uid)?.startsWith('/') ?? true).toBe(true);
      }),
    );
  });
});
