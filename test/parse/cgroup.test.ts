import { describe, expect, it, test } from 'vitest';
import { parseCgroup } from '../../src/parse/cgroup.js';

const ID = 'a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90';
const UID = '6f2a1c3e-0b4d-4e5f-8a9b-0c1d2e3f4a5b';
const UID_ = UID.replaceAll('-', '_');
const STATIC = '0123456789abcdef0123456789abcdef';
const two = (path: string) => `0::${path}\n`;

/** Paths as the runtimes write them, and what lives there. */
describe('a cgroup path says where a process lives', () => {
  const container = (runtime?: string) => ({ container: { id: ID, ...(runtime && { runtime }) } });
  test.each([
    ['docker, cgroupfs', `/docker/${ID}`, container('docker')],
    ['docker, systemd', `/system.slice/docker-${ID}.scope`, container('docker')],
    ['docker, a process that made a cgroup inside', `/docker/${ID}/init`, container('docker')],
    [
      'docker seen from a cgroup namespace beside it',
      `/../../system.slice/docker-${ID}.scope`,
      container('docker'),
    ],
    ['podman, systemd', `/machine.slice/libpod-${ID}.scope/container`, container('podman')],
    ['podman, cgroupfs', `/libpod_parent/libpod-${ID}`, container('podman')],
    [
      'podman without root',
      `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`,
      { ...container('podman'), unit: 'user@1000.service' },
    ],
    [
      "podman's monitor is no container",
      `/machine.slice/libpod-conmon-${ID}.scope`,
      { unit: `libpod-conmon-${ID}.scope` },
    ],
    ['nerdctl', `/system.slice/nerdctl-${ID}.scope`, container('containerd')],
    ['containerd alone', `/default/${ID}`, container()],
    ['kubelet, cgroupfs, burstable', `/kubepods/burstable/pod${UID}/${ID}`, { ...container(), pod: UID }],
    ['kubelet, cgroupfs, guaranteed', `/kubepods/pod${UID}/${ID}`, { ...container(), pod: UID }],
    [
      'containerd, systemd, besteffort',
      `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${UID_}.slice/cri-containerd-${ID}.scope`,
      { ...container('containerd'), pod: UID },
    ],
    [
      'CRI-O, systemd, burstable',
      `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UID_}.slice/crio-${ID}.scope/container`,
      { ...container('cri-o'), pod: UID },
    ],
    [
      "CRI-O's monitor",
      `/kubepods.slice/kubepods-pod${UID_}.slice/crio-conmon-${ID}.scope`,
      { unit: `crio-conmon-${ID}.scope` },
    ],
    [
      'a static pod has a hash for a uid',
      `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${STATIC}.slice/cri-containerd-${ID}.scope`,
      { ...container('containerd'), pod: STATIC },
    ],
    [
      'kind puts the kubelet below itself',
      `/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod${UID_}.slice/cri-containerd-${ID}.scope`,
      { ...container('containerd'), pod: UID },
    ],
    [
      'cgroupfs that was meant for systemd',
      `/kubepods-burstable-pod${UID_}.slice:cri-containerd:${ID}`,
      { ...container('containerd'), pod: UID },
    ],
    [
      'docker with the kubelet',
      `/kubepods/besteffort/pod${UID}/docker-${ID}.scope`,
      { ...container('docker'), pod: UID },
    ],
    [
      'lxc 4',
      '/lxc.payload.web-1/system.slice/nginx.service',
      { container: { id: 'web-1', runtime: 'lxc' }, unit: 'nginx.service' },
    ],
    ['lxc 3', '/lxc/web-1/init.scope', { container: { id: 'web-1', runtime: 'lxc' }, unit: 'init.scope' }],
    ["lxc's monitor", '/lxc.monitor.web-1', {}],
    ['a container in a container', `/docker/${'0'.repeat(64)}/docker/${ID}`, container('docker')],
    ['a service', '/system.slice/nginx.service', { unit: 'nginx.service' }],
    [
      'a service of a user',
      '/user.slice/user-1000.slice/user@1000.service/app.slice/redis.service',
      { unit: 'redis.service' },
    ],
    ['a name that systemd escaped', '/system.slice/my\\x2dapp.service', { unit: 'my-app.service' }],
    ['a session', '/user.slice/user-0.slice/session-3.scope', { unit: 'session-3.scope' }],
    ['the root', '/', {}],
  ])('%s', (_, path, home) => expect(parseCgroup(two(path))).toEqual(home));

  it('version 1: the container of any controller, the unit of systemd only', () => {
    const lines = [
      '9:name=systemd:/system.slice/sshd.service',
      '4:memory:/process_api/x.service',
      '1:cpu:/',
      '0::/',
    ];
    expect(parseCgroup(lines.join('\n'))).toEqual({ unit: 'sshd.service' });
    const inDocker = ['12:pids:/docker/', '5:memory:/docker/', '1:name=systemd:/docker/'].map(
      (line) => line + ID,
    );
    expect(parseCgroup(inDocker.join('\n'))).toEqual(container('docker'));
  });

  it.each(['', 'no line', '0::', '::::', '0:::/a:b', `0::/${'x'.repeat(100_000)}`])(
    '%j is no home and no error',
    (text) => expect(parseCgroup(text)).toEqual({}),
  );
});
