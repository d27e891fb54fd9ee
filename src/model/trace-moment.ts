/** Nanoseconds since `epochSeconds` of the capture. */
export type Nanos = number & { readonly unit: 'ns' };
export const nanos = (value: number) => value as Nanos;

/** One packet: its number as in Wireshark, and its time. */
export interface Moment {
  readonly frame: number;
  readonly time: Nanos;
}

export type Peer = 'client' | 'server';
