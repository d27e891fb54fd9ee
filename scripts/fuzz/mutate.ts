export type Random = () => number;

/** A small generator with a seed (xorshift32), so that a failure can be run again. Gives numbers from 0 to 1. */
export function randomFrom(seed: number): Random {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

type Mutation = (bytes: Uint8Array, at: number, other: Uint8Array, random: Random) => Uint8Array;

const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

const MUTATIONS: readonly Mutation[] = [
  (bytes, at) => bytes.slice(0, at),
  (bytes, at) => bytes.slice(at),
  (bytes, at, _, random) => bytes.with(at % Math.max(1, bytes.length), Math.floor(random() * 256)),
  (bytes, at, _, random) =>
    bytes.with(at % Math.max(1, bytes.length), (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8))),
  (bytes, at, other, random) =>
    join(bytes.slice(0, at), other.slice(Math.floor(random() * other.length)), bytes.slice(at)),
  (bytes, at, _, random) => join(bytes.slice(0, at), bytes.slice(at + Math.ceil(random() * 40))),
  (bytes, at, _, random) =>
    join(bytes.slice(0, at), bytes.slice(at, at + Math.ceil(random() * 200)), bytes.slice(at)),
  (bytes, at) => join(bytes.slice(0, at), Buffer.from('99999999999999999999'), bytes.slice(at)),
];

/** A random sample after one to eight random changes; never longer than 1 MiB. */
export function mutate(samples: readonly Uint8Array[], random: Random): Uint8Array {
  const pick = () => samples[Math.floor(random() * samples.length)] ?? new Uint8Array();
  let bytes = pick();
  for (let changes = 1 + Math.floor(random() * 8); changes > 0 && bytes.length > 0; changes--) {
    const mutation = MUTATIONS[Math.floor(random() * MUTATIONS.length)];
    bytes = mutation?.(bytes, Math.floor(random() * bytes.length), pick(), random).slice(0, 1 << 20) ?? bytes;
  }
  return bytes;
}
