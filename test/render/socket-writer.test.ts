import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SocketTable } from '../../src/model/table.js';
import { DUMPS, parseDump } from '../../src/parse/netlink/index.js';
import { parseSs } from '../../src/parse/ss/index.js';
import { ByteText } from '../../src/render/byte-text.js';
import { connectionWriter } from '../../src/render/json-connection.js';
import { jsonText } from '../../src/render/json-text.js';
import { type Names, PLAIN_NAMES } from '../../src/render/names.js';
import { Pseudonyms } from '../../src/render/redact.js';
import { SocketWriter } from '../../src/render/socket-writer.js';
import { fixtureDir } from '../parse/golden.js';
import { recorded } from '../parse/netlink/support.js';
import { buildTable, row } from '../support/table-builder.js';

/** Every row as the writer and as the objects have it. Names of their own: pseudonyms count. */
function bothWays(table: SocketTable, names: () => Names, netns?: string) {
  const writer = new SocketWriter(table, names(), netns);
  const toJson = connectionWriter(table, names(), netns);
  const out = new ByteText();
  return Array.from({ length: table.length }, (_, index) => index)
    .filter((index) => !table.row(index).isListener)
    .map((index) => {
      out.clear();
      writer.write(out, index);
      return { written: `{${Buffer.from(out.written()).toString()}}`, wanted: jsonText(toJson(index)) };
    });
}

function expectSame(table: SocketTable): number {
  let count = 0;
  for (const names of [() => PLAIN_NAMES, () => new Pseudonyms()]) {
    for (const netns of [undefined, '4026531840']) {
      for (const { written, wanted } of bothWays(table, names, netns)) {
        expect(written).toBe(wanted);
        count++;
      }
    }
  }
  return count;
}

describe('sockets as bytes are the same as the objects', () => {
  it('for every saved output of ss', () => {
    const files = readdirSync(`${fixtureDir}ss`).filter((name) => name.endsWith('.txt'));
    let count = 0;
    for (const name of files) {
      const text = readFileSync(`${fixtureDir}ss/${name}`);
      // Some are complaints of ss about an option, or a summary.
      if (/ss-(s\.|E-|tanB|tlnpZ)/.test(name)) continue;
      count += expectSame(parseSs(text).sockets);
    }
    expect(count).toBeGreaterThan(1000);
  });

  it.each(DUMPS)('for the recorded answer of sock_diag: %s', (name) => {
    const { sockets } = parseDump(recorded(name), name, { deviceName: (index) => `if${index}` });
    sockets.attachOwners({
      ownersOf: (inode) => (inode % 3 === 0 ? [] : [{ pid: 1, fd: inode, name: 'é"\n' }]),
    });
    expectSame(sockets);
  });

  it('for hosts that share a place, and for any number', () => {
    const word = fc.integer({ min: 0, max: 255 });
    const value = fc.oneof(
      fc.nat(),
      fc.double({ min: 0, noNaN: true }),
      fc.constantFrom(0, 2 ** 31, 2 ** 53, 1e21),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word, value, fc.nat()), { maxLength: 30 }), (rows) => {
        const specs = rows.map(([a, b, number, cookie]) =>
          row({
            state: 'established',
            local: `10.${a}.0.${b}:443`,
            remote: a % 2 === 0 ? `[2001:db8::${b}]:80` : `192.0.2.${a}:9`,
            queues: [a, b],
            cookie,
            columns: {
              rttMs: number,
              lastSentMs: number,
              inode: cookie,
              timerKind: a % 3,
              timerMs: b,
              drops: b,
            },
          }),
        );
        expectSame(buildTable(specs));
      }),
      { numRuns: 200 },
    );
  });
});
