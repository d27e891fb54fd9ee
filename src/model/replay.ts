/** Where a replay is, for the title of the screen. Times of the recording's wall clock, ms. */
export interface ReplayPosition {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly speed: number;
  /** The first report after a jump: what was shown before has nothing to do with it. */
  readonly sought: boolean;
  readonly ended: boolean;
}

/** What the screen asks of a replay; read again and again. */
export interface ReplayControl {
  speed: number;
  paused: boolean;
  /** Consumed by the replay: where to go next. */
  jump?: ReplayJump | undefined;
}

export type ReplayJump =
  | { readonly to: 'time'; readonly time: number }
  | { readonly to: 'offset'; readonly ms: number }
  | { readonly to: 'next-alert' | 'previous-alert' };
