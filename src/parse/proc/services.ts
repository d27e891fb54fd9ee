/** Reads /etc/services: ports by name or alias and protocol, `http/tcp` -> 80. Lines that are none are passed over. */
export function parseServices(text: string): ReadonlyMap<string, number> {
  const ports = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name, where, ...aliases] = (line.split('#', 1)[0] ?? '').trim().split(/\s+/);
    const match = /^(\d{1,5})\/([a-z]+)$/.exec(where ?? '');
    if (name === undefined || match === null || Number(match[1]) > 0xffff) continue;
    for (const each of [name, ...aliases]) {
      const key = `${each}/${match[2]}`;
      if (!ports.has(key)) ports.set(key, Number(match[1])); // the first wins, as for getservbyname
    }
  }
  return ports;
}
