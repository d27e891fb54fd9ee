import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sharedDir } from '../support/shared.js';
import { traceBytes } from '../support/trace.js';

const MOST_BYTES = 200_000;
const fixtures = fileURLToPath(new URL('../../fixtures/captures/overflow/', import.meta.url));

const capturesIn = (folder: string): Uint8Array[] =>
  readdirSync(folder)
    .filter((name) => /pcap|pcapng|cap$/.test(name))
    .map((name) => readFileSync(`${folder}/${name}`))
    .filter(({ length }) => length <= MOST_BYTES);

/** The whole way of a capture: reader, decoder, connections, findings. Nothing may be thrown at all. */
export const fuzzTargets = [
  {
    name: 'captures',
    samples: () => [
      ...capturesIn(fixtures),
      ...(sharedDir === undefined
        ? []
        : [...capturesIn(`${sharedDir}captures/real`), ...capturesIn(`${sharedDir}captures/malformed`)]),
    ],
    run: (input: Uint8Array) => {
      const { result, info } = traceBytes(input);
      if (result.summary.packets !== info.packets) throw new Error('packets were lost');
    },
  },
] as const;
