import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DUMPS, parseDump } from '../../../src/parse/netlink/index.js';
import { parseSs } from '../../../src/parse/ss/index.js';
import { fixtureDir, outcome, readGolden } from '../golden.js';
import { type ReadableRow, readable } from '../readable.js';
import { byIdentity, differences, recorded } from './support.js';

const DEVICES: Readonly<Record<number, string>> = { 1: 'lo', 3: 'odd0' };
const options = { deviceName: (index: number) => DEVICES[index] ?? `if${index}` };

describe('recorded answers of sock_diag', () => {
  it.each(DUMPS)('%s', (name) => {
    expect(outcome(() => parseDump(recorded(name), name, options))).toEqual(
      readGolden(`netlink/linux-6.18-${name}`),
    );
  });

  it('say what ss said of the same sockets', () => {
    const text = readFileSync(`${fixtureDir}netlink/linux-6.18-ss.txt`);
    const fromSs = byIdentity(readable(parseSs(text)).rows);
    const all: ReadableRow[] = DUMPS.flatMap(
      (name) => readable(parseDump(recorded(name), name, options)).rows,
    );
    const fromNetlink = byIdentity(all);
    expect([...fromNetlink.keys()].sort()).toEqual([...fromSs.keys()].sort());
    const wrong = [...fromSs].flatMap(([key, row]) => differences(row, fromNetlink.get(key) ?? {}));
    // When these answers were recorded, congestion control was not asked for.
    expect(wrong.filter((line) => !line.includes(' congestion: '))).toEqual([]);
  });

  it('hold every state, family and kind of socket that was made', () => {
    const { rows } = readable(parseDump(recorded('tcp4'), 'tcp4', options));
    const states = new Set(rows.map(({ state }) => state));
    for (const state of ['listen', 'established', 'syn-sent', 'syn-recv', 'close-wait', 'time-wait'])
      expect(states).toContain(state);
    for (const state of ['fin-wait-1', 'fin-wait-2', 'last-ack']) expect(states).toContain(state);
  });
});
