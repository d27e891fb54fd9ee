/** A number that carries its unit in its type, so that bytes cannot be added to connections. */
type Quantity<Unit extends string> = number & { readonly unit: Unit };

export type Bytes = Quantity<'bytes'>;
export type Connections = Quantity<'connections'>;
/** Segments that the kernel dropped: one connection can lose many (KERNEL.md 4), so never "connections". */
export type Segments = Quantity<'segments'>;
export type Millis = Quantity<'ms'>;
export type PerSecond = Quantity<'per second'>;
/** A share, 1 = 100 %. May exceed 1: a listener whose backlog was lowered keeps its queue. */
export type Ratio = Quantity<'ratio'>;
/** Milliseconds of the wall clock since 1970-01-01 UTC. */
export type WallMillis = Quantity<'wall ms'>;
/** Milliseconds of a clock that never jumps; only differences have a meaning. */
export type MonotonicMillis = Quantity<'monotonic ms'>;

export const bytes = (value: number) => value as Bytes;
export const connections = (value: number) => value as Connections;
export const segments = (value: number) => value as Segments;
export const millis = (value: number) => value as Millis;
export const perSecond = (value: number) => value as PerSecond;
export const ratio = (value: number) => value as Ratio;
export const wallMillis = (value: number) => value as WallMillis;
export const monotonicMillis = (value: number) => value as MonotonicMillis;
