import type { SamplesObservation } from '../model/observation.js';
import type { WatchState } from './state.js';
import type { Track } from './track.js';

/** Lengths between two tables: they raise the peaks of listeners that are known. */
export function takeSamples(state: WatchState, { samples, origin }: SamplesObservation): WatchState {
  const tracks = new Map<string, Track>(state.tracks);
  for (const { key, length } of samples) {
    const track = tracks.get(key);
    if (track !== undefined && length > track.peak)
      tracks.set(key, { ...track, peak: length, peakAt: origin.time });
  }
  return { ...state, tracks };
}
