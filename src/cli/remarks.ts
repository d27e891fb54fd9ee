import { gapsToSay } from '../analyze/hidden-owners.js';
import type { Report } from '../model/report.js';
import type { Names } from '../render/names.js';
import { placeOf } from './gap-notes.js';

/** A host can make up any number of different gaps: what was said is not kept for ever. */
const KEPT = 1000;

/** Says what could not be read, each thing once, and when a source fails or is well again. */
export class Remarks {
  private readonly said = new Set<string>();
  private fault: string | undefined;

  constructor(private readonly say: (text: string) => void) {}

  hear(report: Report, names: Names): void {
    const { findings, pace } = report;
    // The fault itself is said below, with what to do.
    for (const gap of gapsToSay(report).filter(({ why }) => why !== pace.fault?.why))
      this.once(names.sentence(`${placeOf(gap)}: ${gap.why}`));
    for (const { severity, message } of findings) if (severity === 'info') this.once(names.sentence(message));
    this.hearFault(pace.fault);
  }

  private hearFault(fault: Report['pace']['fault']): void {
    if (fault?.why === this.fault) return;
    this.fault = fault?.why;
    if (fault === undefined) this.say('the source of sockets can be read again');
    else this.say(fault.remedy === undefined ? fault.why : `${fault.why}; ${fault.remedy}`);
  }

  private once(text: string): void {
    if (this.said.has(text) || this.said.size >= KEPT) return;
    this.said.add(text);
    this.say(text);
  }
}
