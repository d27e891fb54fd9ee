/** Longer than any name that a runtime takes. */
const LONGEST_NAME = 256;

const asName = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value.slice(0, LONGEST_NAME) : undefined;

/** Anything but an object has no fields. */
function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Name in docker's config.v2.json of a container, which begins with a slash. Total: `undefined` where there is none. */
export const dockerName = (text: string): string | undefined =>
  asName(fieldsOf(text).Name)?.replace(/^\//, '') || undefined;

/** Name of a container in the list that podman and CRI-O keep of their storage (containers.json). Total. */
export function storageName(text: string, id: string): string | undefined {
  const list = fieldsOf(text);
  if (!Array.isArray(list)) return undefined;
  for (const one of list as unknown[]) {
    if (typeof one !== 'object' || one === null) continue;
    const { id: itsId, names } = one as Record<string, unknown>;
    if (itsId === id) return Array.isArray(names) ? asName(names[0]) : undefined;
  }
  return undefined;
}

const NAME_ANNOTATIONS = [
  'io.kubernetes.cri.container-name',
  'io.kubernetes.container.name',
  'io.kubernetes.cri.sandbox-name',
  'nerdctl/name',
] as const;

/** Name in the annotations of a bundle's config.json (OCI runtime specification), as containerd and CRI-O write them. Total. */
export function bundleName(text: string): string | undefined {
  const { annotations } = fieldsOf(text);
  if (typeof annotations !== 'object' || annotations === null) return undefined;
  const fields = annotations as Record<string, unknown>;
  return NAME_ANNOTATIONS.map((name) => asName(fields[name])).find((name) => name !== undefined);
}
