import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/analyze/diagnose.js';
import { DEFAULT_THRESHOLDS } from '../../src/analyze/thresholds.js';
import type { TableObservation } from '../../src/model/observation.js';
import { RecordingDecoder } from '../../src/parse/recording/decoder.js';
import { PLAIN_NAMES } from '../../src/render/names.js';
import { RecordingEncoder } from '../../src/render/recording/encoder.js';
import { DiagnosisWatch } from '../../src/watch/diagnosis.js';
import { look, type RowSpec } from '../support/table-builder.js';

const LOOKS = 20;

/** A connection to a database: requests answered so far, and when the last one went out and was answered, ms ago. */
const connection = (
  n: number,
  [answered, sentMs, receivedMs]: readonly [number, number, number],
  queues: readonly [number, number] = [0, 0],
): RowSpec => ({
  local: `10.0.0.1:${40_000 + n}`,
  remote: '10.0.0.9:3306',
  cookie: n + 1,
  owners: [{ pid: 7, fd: n, name: 'app' }],
  queues,
  columns: {
    inode: n + 1,
    lastSentMs: sentMs,
    lastReceivedMs: receivedMs,
    lastAckMs: Math.min(sentMs, receivedMs),
    rtoMs: 200,
    bytesSent: answered * 100 + 100,
    bytesAcked: answered * 100 + 101 - (queues[1] ?? 0),
    bytesReceived: answered * 300,
    dataSegmentsOut: answered + 1,
    dataSegmentsIn: answered,
    segmentsOut: answered * 2 + 2,
    segmentsIn: answered * 2 + 1,
  },
});

const looks = (rows: (second: number, n: number) => RowSpec): TableObservation[] =>
  Array.from({ length: LOOKS }, (_, second) =>
    look(
      second * 1000,
      Array.from({ length: 10 }, (_, n) => rows(second, n)),
    ),
  );

/** The same from a recording; or from one of an earlier version, which does not tell what moved. */
function recorded(observations: readonly TableObservation[], isOld = false): TableObservation[] {
  const encoder = new RecordingEncoder(PLAIN_NAMES, '0.1.0');
  const [first] = observations as [TableObservation];
  const lines = [encoder.head(first.origin), ...observations.map((one) => encoder.encode(one))];
  const decoder = new RecordingDecoder();
  return lines.flatMap((line): TableObservation[] => {
    const { moved: _, ...old } = JSON.parse(line?.text ?? '') as { moved?: unknown };
    const decoded = decoder.decode(isOld ? JSON.stringify(old) : (line?.text ?? ''), 'line');
    const observation = decoded.kind === 'observation' ? decoded.observation() : undefined;
    return observation?.kind === 'table' ? [observation] : [];
  });
}

function said(observations: readonly TableObservation[]) {
  const watch = new DiagnosisWatch({ thresholds: DEFAULT_THRESHOLDS });
  for (const one of observations) watch.take(one);
  const facts = watch.facts();
  if (facts === undefined) throw new Error('no look');
  const { findings, gaps } = diagnose(facts);
  const [pool] = facts.pools.pools;
  return {
    rules: findings.map(({ rule, message }) => `${rule}: ${message}`),
    idle: pool?.idle,
    quiet: pool?.quiet?.p50,
    traffic: pool?.traffic,
    gaps: gaps.map(({ why }) => why).filter((why) => why.includes('recording')),
  };
}

const rulesIn = ({ rules }: ReturnType<typeof said>) => rules.map((one) => one.replace(/:.*/, ''));

describe('a pool in a recording', () => {
  it('that is used all the time is judged as it is, whatever its frames leave out', () => {
    const busy = looks((second, n) => connection(n, [second * 10 + n, 20 + n, 25 + n]));
    expect(said(recorded(busy))).toEqual(said(busy));
    expect(rulesIn(said(busy))).not.toContain('pool_waiting');
    const resting = looks((second, n) => connection(n, [second * 10 + n, 60 + n, 20 + n]));
    expect(said(recorded(resting))).toEqual(said(resting));
    expect(said(resting)).toMatchObject({ rules: [], idle: 10 });
  });

  it('that waits for its answers is found', () => {
    const waits = looks((second, n) => connection(n, [9, 500 + second * 1000, 900 + second * 1000]));
    expect(said(recorded(waits))).toEqual(said(waits));
    expect(rulesIn(said(waits))).toContain('pool_waiting');
  });

  it('whose requests are acknowledged late is none whose peer does not read; one that takes nothing is', () => {
    const late = looks((second, n) => connection(n, [second * 10 + n, 20, 25], [0, 100]));
    expect(rulesIn(said(recorded(late)))).not.toContain('peer_not_reading');
    const stuck = looks((second, n) =>
      connection(n, [9, 500 + second * 1000, 900 + second * 1000], [0, 40_000]),
    );
    expect(rulesIn(said(recorded(stuck)))).toContain('peer_not_reading');
  });

  it('of an earlier version is not judged by numbers of another look, and that is said', () => {
    const busy = looks((second, n) => connection(n, [second * 10 + n, 20 + n, 25 + n]));
    const late = looks((second, n) => connection(n, [second * 10 + n, 20, 25], [0, 100]));
    for (const one of [busy, late]) {
      const old = said(recorded(one, true));
      expect(old.rules).toEqual([]);
      expect(old).toMatchObject({ idle: undefined, quiet: undefined, traffic: undefined });
      expect(old.gaps).toContainEqual(
        expect.stringContaining('at 19 of 20 looks the recording does not tell'),
      );
    }
    expect(said(recorded(busy)).gaps.filter((why) => why.includes('does not tell'))).toEqual([]);
  });
});
