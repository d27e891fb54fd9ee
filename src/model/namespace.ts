/** What started a container, where its cgroup tells. */
export const RUNTIMES = ['docker', 'podman', 'containerd', 'cri-o', 'lxc'] as const;
export type Runtime = (typeof RUNTIMES)[number];

export interface Container {
  /** As the runtime calls it: 64 hexadecimal digits, or a name (lxc). */
  readonly id: string;
  /** As people call it; absent: could not be read without the runtime's daemon. */
  readonly name?: string;
  readonly runtime?: Runtime;
}

/** Where a process lives, as its cgroup tells. Absent: it is in none, or it could not be read. All of it is the choice of others: hostile. */
export interface Home {
  readonly container?: Container;
  /** Uid of the Kubernetes pod. */
  readonly pod?: string;
  /** systemd unit. */
  readonly unit?: string;
  /** Inode of its mount namespace, where that is another than sockwatch's: paths mean other files there. */
  readonly mountNamespace?: string;
}

/**
 * One network namespace, and who lives in it: the container where there is only one, the pod and the unit where all of its processes are of
 * one. Nothing of the host's, and of one that may have processes which cannot be seen.
 */
export interface Namespace extends Home {
  /** Inode, as text. */
  readonly id: string;
  /** `host` for that of the first process of the machine; else the name of its file in /run/netns or /run/docker/netns. */
  readonly name?: string;
  /** Containers that have processes in it, where other processes are there too: those of a pod, or of the host's network. */
  readonly containers?: readonly Container[];
}

/** All that are known to have processes in it. */
export const containersIn = ({ container, containers }: Namespace): readonly Container[] =>
  containers ?? (container === undefined ? [] : [container]);

const SHORT_ID = 12;

/** `web`, or the first digits of the id where the name is unknown. */
export const containerLabel = ({ id, name }: Container): string =>
  name ?? (/^[0-9a-f]{32,}$/.test(id) ? id.slice(0, SHORT_ID) : id);

/** What people call a namespace: the name of its container before that of its file, which is often made of digits; else its pod, or its inode. */
export const namespaceLabel = ({ id, name, container, pod }: Namespace): string =>
  (container === undefined ? undefined : containerLabel(container)) ?? name ?? pod ?? id;
