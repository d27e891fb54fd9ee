import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseSs } from '../../../src/parse/ss/index.js';
import { sharedDir, sharedMissing } from '../../support/shared.js';
import { fixtureDir, goldenDir, outcome, readGolden } from '../golden.js';

/** Expected results whose input may not be copied here are compared where the input lies. */
const names = readdirSync(`${goldenDir}ss`).map((file) => file.replace(/\.ndjson$/, ''));

function inputOf(name: string): string | undefined {
  const own = `${fixtureDir}ss/${name}.txt`;
  if (existsSync(own)) return own;
  return sharedDir === undefined ? undefined : `${sharedDir}ss-samples/${name}.txt`;
}

describe('samples of ss, as a person reads them', () => {
  for (const name of names) {
    const input = inputOf(name);
    const reason = input === undefined ? ` (skipped: ${sharedMissing})` : '';
    it.skipIf(input === undefined)(`${name}${reason}`, () => {
      const bytes = readFileSync(input ?? '');
      expect(outcome(() => parseSs(bytes))).toEqual(readGolden(`ss/${name}`));
    });
  }

  it.skipIf(sharedDir === undefined)(
    `there is one for every sample${sharedMissing ? ' (skipped)' : ''}`,
    () => {
      const samples = readdirSync(`${sharedDir}ss-samples`)
        .filter((file) => file !== 'README.md' && !file.startsWith('linux-'))
        .map((file) => file.replace(/\.txt$/, ''));
      expect([...names].sort()).toEqual(samples.sort());
    },
  );
});
