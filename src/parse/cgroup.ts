import type { Container, Home, Runtime } from '../model/namespace.js';

/** Names of scopes, as `docker-<id>.scope`, and who makes them. */
const SCOPES: Readonly<Record<string, Runtime>> = {
  docker: 'docker',
  libpod: 'podman',
  'cri-containerd': 'containerd',
  nerdctl: 'containerd',
  crio: 'cri-o',
};

const ID = /^[0-9a-f]{64}$/;
/** `docker-<id>.scope` (systemd driver), `libpod-<id>` (cgroupfs); not `libpod-conmon-<id>.scope`, which is the monitor outside. */
const SCOPE = /^([a-z]+(?:-[a-z]+)*)-([0-9a-f]{64})(?:\.scope)?$/;
const MONITOR = /^(?:libpod|crio)-conmon-|^lxc\.monitor/;
/** `pod<uid>` (cgroupfs), `kubepods-burstable-pod<uid>.slice` (systemd, with _ for -); static pods have a hash for a uid. */
const POD =
  /^(?:.*kubepods.*-)?pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/;
const UNIT = /^[^/]+\.(?:service|scope|socket|mount|swap)$/;
const LXC_PAYLOAD = /^lxc\.payload\.(.+)$/;

/**
 * Reads /proc/PID/cgroup: lines `number:controllers:path`, of which version 1 has many and version 2 has one. The container, the pod and
 * the unit are read from the parts of the paths, as docker, podman, containerd, CRI-O, the kubelet, lxc and systemd name them.
 * Total: what is not understood says nothing.
 */
export function parseCgroup(text: string): Home {
  const lines = text.split('\n').map((line) => /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []);
  const paths = lines.flatMap(([, , path]) => (path === undefined ? [] : [partsOf(path)]));
  const found = paths.map(readParts);
  const container = found.find((home) => home.container !== undefined)?.container;
  const pod = found.find((home) => home.pod !== undefined)?.pod;
  // Only systemd's own hierarchy and that of version 2 are made of units.
  const ofSystemd = lines.findIndex(([, controllers]) => controllers === 'name=systemd');
  const ofTwo = lines.findIndex(([, controllers]) => controllers === '');
  const unit = [ofTwo, ofSystemd]
    .map((at) => lines[at]?.[2])
    .map((path) => (path === undefined ? undefined : unitOf(partsOf(path))))
    .find((name) => name !== undefined);
  return {
    ...(container !== undefined && { container }),
    ...(pod !== undefined && { pod }),
    ...(unit !== undefined && { unit }),
  };
}

/** Where cgroupfs paths were meant for systemd, containerd's stand as `slice:prefix:id`. */
const partsOf = (path: string): string[] =>
  path
    .replace(/:(cri-containerd|docker|crio|libpod):([0-9a-f]{64})$/, '/$1-$2')
    .split('/')
    .filter((part) => part !== '' && part !== '..');

function readParts(parts: readonly string[]): Pick<Home, 'container' | 'pod'> {
  if (parts.some((part) => MONITOR.test(part))) return {};
  const pods = parts.map((part) => POD.exec(part)?.[1]).filter((uid) => uid !== undefined);
  const pod = pods.at(-1)?.replaceAll('_', '-');
  const container = containerOf(parts, pod !== undefined);
  return { ...(container !== undefined && { container }), ...(pod !== undefined && { pod }) };
}

/** The innermost: a container in a container is its own. */
function containerOf(parts: readonly string[], inPod: boolean): Container | undefined {
  for (let at = parts.length - 1; at >= 0; at--) {
    const part = parts[at] ?? '';
    const before = parts[at - 1];
    const [, prefix = '', id] = SCOPE.exec(part) ?? [];
    if (id !== undefined) return withRuntime(id, SCOPES[prefix]);
    if (ID.test(part)) return withRuntime(part, before === 'docker' ? 'docker' : undefined);
    const payload = LXC_PAYLOAD.exec(part)?.[1];
    if (payload !== undefined) return { id: payload, runtime: 'lxc' };
    if (!inPod && (before === 'lxc' || before === 'lxc.payload')) return { id: part, runtime: 'lxc' };
  }
  return undefined;
}

const withRuntime = (id: string, runtime: Runtime | undefined): Container => ({
  id,
  ...(runtime !== undefined && { runtime }),
});

/** The innermost unit, but for the scope that is the container itself. */
function unitOf(parts: readonly string[]): string | undefined {
  const unit = parts.findLast((part) => UNIT.test(part) && (MONITOR.test(part) || !SCOPE.test(part)));
  return unit?.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
