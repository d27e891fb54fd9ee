import { join } from 'node:path';
import { ownNamespace } from '../collect/origin.js';
import { readSmallFile, replaceFile, stateFolders } from '../collect/state-file.js';
import type { CheckState } from '../model/check-state.js';
import { formatCheckState, parseCheckState } from '../parse/check-state.js';

/** Where a check keeps what its next run compares with. Nothing here ever fails a check: what is wrong becomes a note. */
export class StateStore {
  readonly notes: string[] = [];
  /** What this run saw could not be kept: the next one compares with something older, or with nothing. */
  hasFailed = false;
  private readonly paths: readonly string[];

  /** `path`: as the user named it; else a file of this check in the first folder that can be used. */
  constructor(
    private readonly id: string,
    path: string | undefined,
    env: NodeJS.ProcessEnv,
  ) {
    const folders = stateFolders(env, process.getuid?.());
    // Each network namespace has counters of its own.
    const name = `check-${id}-${ownNamespace() ?? 'unknown'}.json`;
    this.paths = path === undefined ? folders.map((folder) => join(folder, name)) : [path];
    if (this.paths.length === 0) this.notes.push('no place for a state file: give one with --state');
  }

  read(): CheckState | undefined {
    for (const path of this.paths) {
      const state = this.readOne(path);
      if (state !== undefined) return state;
    }
    return undefined;
  }

  private readOne(path: string): CheckState | undefined {
    try {
      const text = readSmallFile(path);
      if (text === undefined) return undefined;
      const state = parseCheckState(text);
      if (state.check === this.id) return state;
      this.notes.push(
        `${path} is of another check: this run is a new baseline; give each check its own --state`,
      );
    } catch (error) {
      // What may not be read may not be written either, and that is said.
      if ((error as NodeJS.ErrnoException).code === 'EACCES') return undefined;
      this.notes.push(`${path} could not be used, this run is a new baseline: ${(error as Error).message}`);
    }
    return undefined;
  }

  /** Two runs at once both told what they saw; the one that looked last is what the next compares with. */
  write(state: CheckState): void {
    let failure: string | undefined;
    for (const path of this.paths) {
      try {
        if (!isNewer(path, state))
          replaceFile(path, formatCheckState(state), { mode: 0o600, makeFolder: true });
        return;
      } catch (error) {
        failure ??= `${path} could not be written: ${(error as Error).message}; the next run compares with an older one`;
      }
    }
    this.hasFailed = true;
    if (failure !== undefined) this.notes.push(failure);
  }
}

function isNewer(path: string, state: CheckState): boolean {
  try {
    const there = parseCheckState(readSmallFile(path) ?? '');
    const isSameCheck =
      there.check === state.check && there.bootId === state.bootId && there.netns === state.netns;
    // From the future it is damaged; a moment ahead it is another run.
    return isSameCheck && there.monotonic > state.monotonic && there.monotonic < state.monotonic + 60_000;
  } catch {
    return false;
  }
}
