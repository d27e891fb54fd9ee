/** What a packet can be wrapped in. MPLS labels and GTP's TEIDs differ by direction, so they are in no key. */
export const WRAPPINGS = [
  '',
  'vlan',
  'pppoe',
  'gre',
  'vxlan',
  'geneve',
  'gtp-u',
  'ipip',
  '6in4',
  'teredo',
  'erspan',
] as const;
export type Wrapping = (typeof WRAPPINGS)[number];
export const WRAP = Object.fromEntries(WRAPPINGS.map((name, index) => [name, index])) as Readonly<
  Record<Wrapping, number>
>;

const MOST_PATHS = 65_536;
const NO_ID = -1;

/** Numbers for the VLANs and tunnels that packets come through: the same way, the same number. 0: none. */
export class PathBook {
  private readonly parents = [0];
  private readonly kinds = [0];
  private readonly ids = [NO_ID];
  private readonly known = new Map<number, number>();

  /** The path `parent`, and then through a wrapping. `id`: VLAN, VNI, key or session; absent where the kind has none. */
  inside(parent: number, kind: number, id = NO_ID): number {
    const key = (parent * WRAPPINGS.length + kind) * 2 ** 32 + (id >>> 0);
    const found = this.known.get(key);
    if (found !== undefined) return found;
    if (this.parents.length >= MOST_PATHS) return parent;
    const path = this.parents.length;
    this.parents.push(parent);
    this.kinds.push(kind);
    this.ids.push(id);
    this.known.set(key, path);
    return path;
  }

  /** From the outside in: `['vlan 10', 'vxlan 42']`. */
  describe(path: number): string[] {
    const words: string[] = [];
    for (let at = path; at !== 0; at = this.parents[at] ?? 0) {
      const kind = WRAPPINGS[this.kinds[at] ?? 0] ?? '';
      const id = this.ids[at] ?? NO_ID;
      words.unshift(id === NO_ID ? kind : `${kind} ${id >>> 0}`);
    }
    return words;
  }
}
