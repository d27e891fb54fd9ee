import { type VerifyResult, verifyCapture } from '../collect/capture-verify.js';
import { SockwatchError } from '../model/errors.js';
import { cleanText, formatCount } from '../render/text.js';

const MOST_SHOWN = 10;

/**
 * Reads each capture with both readers and says whether they agree: one line a file on stdout. True where all do. One of several that
 * cannot be read is named, and the others are compared all the same.
 * @throws SockwatchError where the only one cannot be read
 */
export async function verifyAll(paths: readonly string[]): Promise<boolean> {
  let agree = true;
  for (const path of paths) {
    const result = await verifyCapture(path).catch((error: unknown) => unreadable(error, paths.length));
    if (typeof result === 'string') process.stdout.write(result);
    else process.stdout.write(verdictLines(path, result));
    if (typeof result === 'string' || (!result.agree && result.skipped === undefined)) agree = false;
  }
  return agree;
}

function unreadable(error: unknown, files: number): string {
  if (files === 1 || !(error instanceof SockwatchError)) throw error;
  return `${cleanText(error.message)}\n`;
}

function verdictLines(path: string, { packets, agree, differences, skipped }: VerifyResult): string {
  const name = cleanText(path);
  if (skipped !== undefined) return `${name}: not compared: ${skipped}\n`;
  if (agree) return `${name}: both readers agree on ${formatCount(packets)} packets\n`;
  const shown = differences
    .slice(0, MOST_SHOWN)
    .map(({ frame, what, ours, theirs }) => `  frame ${frame}: ${what}: ${ours}, pcap-parser ${theirs}\n`);
  const more = differences.length > MOST_SHOWN ? `  ... and ${differences.length - MOST_SHOWN} more\n` : '';
  return `${name}: the readers differ in ${differences.length} places\n${shown.join('')}${more}`;
}
