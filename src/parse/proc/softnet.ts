/** Sum over processors of the second column of `/proc/net/softnet_stat`, hexadecimal: packets dropped because a backlog was full. */
export function parseSoftnetDrops(text: string): number | undefined {
  const drops = [...text.matchAll(/^[0-9a-f]+ +([0-9a-f]+)\b/gm)].map(([, hex = '']) =>
    Number.parseInt(hex, 16),
  );
  return drops.length === 0 ? undefined : drops.reduce((sum, value) => sum + value, 0);
}
