export type ProcFile = 'tcp' | 'tcp6' | 'udp' | 'udp6' | 'unix';

/** One line of a file, as the readers of rows see it. */
export interface ProcLine {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly file: ProcFile;
  readonly bigEndian: boolean;
}
