import { describe, expect, it } from 'vitest';
import type { Observation } from '../../../src/model/observation.js';
import { RecordingDecoder } from '../../../src/parse/recording/decoder.js';
import { PLAIN_NAMES } from '../../../src/render/names.js';
import { RecordingEncoder } from '../../../src/render/recording/encoder.js';
import { all, DB, endedIn, HOST, into, WEB } from '../../support/namespaces.js';
import { samplesAt } from '../../support/samples.js';
import { listen } from '../../support/table-builder.js';

const ROWS = [listen('0.0.0.0:443', [0, 9], { inode: 7 })];
const round = (at: number) =>
  all(
    at,
    [HOST, WEB, DB].map((namespace) => into(namespace, at, ROWS)),
  );
const samples = (netns: string) => samplesAt(990, { key: `${netns}:7`, lengths: [0, 10, 0] }, { netns });

const ended = (netns: string, count: number) => endedIn({ id: netns }, 900, count);

/** The lines of these, after those of a look; the head is written when the frames are, or before them. */
function linesOf(between: readonly Observation[], isHeadLast = false): string[] {
  const encoder = new RecordingEncoder(PLAIN_NAMES, '0.1.0');
  const { origin } = round(0);
  const head = isHeadLast ? undefined : encoder.head(origin).text;
  const frames = [round(0), ...between, round(1000)].flatMap((one) => encoder.encode(one)?.text ?? []);
  return [head ?? encoder.describe(origin).text, ...frames];
}

function replay(lines: readonly string[]): Observation[] {
  const decoder = new RecordingDecoder();
  return lines.flatMap((line) => {
    const decoded = decoder.decode(line, 'line');
    return decoded.kind === 'observation' ? decoded.before() : [];
  });
}

describe('what happened between looks into several namespaces, in a recording', () => {
  const given = [samples(HOST.id), samples(DB.id), ended(HOST.id, 1), ended(DB.id, 2)];

  it.each([false, true])('is of the namespace that it was of (head written last: %s)', (isHeadLast) => {
    const read = replay(linesOf(given, isHeadLast));
    expect(read.map(({ kind, origin }) => `${kind} ${origin.netns}`)).toEqual([
      `samples ${HOST.id}`,
      `samples ${DB.id}`,
      `closed ${HOST.id}`,
      `closed ${DB.id}`,
    ]);
    expect(read.map((one) => (one.kind === 'closed' ? one.sockets.length : undefined))).toEqual([
      undefined,
      undefined,
      1,
      2,
    ]);
  });

  it('says it only where it is not the namespace of the head', () => {
    const [frame = ''] = linesOf(given).slice(-1);
    expect(frame.match(/"netns":"102","family"/g)).toHaveLength(1);
    expect(frame).not.toContain(`"netns":"${HOST.id}","family"`);
  });

  it('one namespace in which much ends leaves room for the others', () => {
    const many = Array.from({ length: 200 }, () => ended(WEB.id, 0));
    const read = replay(linesOf([ended(DB.id, 2), ...many]));
    expect(read.filter(({ origin }) => origin.netns === DB.id)).toHaveLength(1);
    expect(read.filter(({ origin }) => origin.netns === WEB.id)).toHaveLength(64);
  });
});
