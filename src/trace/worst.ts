import type { TraceConnection } from '../model/trace.js';
import { troubleScore } from './findings/index.js';

interface Entry {
  readonly score: number;
  readonly connection: TraceConnection;
}

/** The most troubled connections, bounded; as long as there is room, the first that come. */
export class Worst {
  private readonly entries: Entry[] = [];

  constructor(private readonly most: number) {}

  get hasRoom(): boolean {
    return this.entries.length < this.most;
  }

  add(connection: TraceConnection): void {
    const entry = { score: troubleScore(connection), connection };
    if (this.hasRoom) {
      this.entries.push(entry);
      if (!this.hasRoom) this.entries.sort(byTrouble);
      return;
    }
    const last = this.entries.at(-1);
    if (last === undefined || byTrouble(entry, last) >= 0) return;
    this.entries.pop();
    const at = this.entries.findIndex((other) => byTrouble(entry, other) < 0);
    this.entries.splice(at < 0 ? this.entries.length : at, 0, entry);
  }

  list(): TraceConnection[] {
    return [...this.entries].sort(byTrouble).map(({ connection }) => connection);
  }
}

const byTrouble = (a: Entry, b: Entry): number => b.score - a.score || a.connection.id - b.connection.id;
