import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ParseError } from '../../src/model/errors.js';
import { parseCounters } from '../../src/parse/proc/counters.js';
import { parseProcNet } from '../../src/parse/proc/net.js';
import { parseServices } from '../../src/parse/proc/services.js';
import { parseSs, SsParser, type SsResult } from '../../src/parse/ss/index.js';

export interface FuzzTarget {
  readonly name: string;
  /** Inputs to begin with. */
  samples(): Uint8Array[];
  /** Fails by throwing. */
  run(bytes: Uint8Array): void;
}

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const filesOf = (folder: string, pattern: RegExp) => () =>
  readdirSync(`${fixtures}${folder}`)
    .filter((file) => pattern.test(file))
    .map((file) => new Uint8Array(readFileSync(`${fixtures}${folder}/${file}`)));

/** ParseError is an answer, everything else a fault. */
function attempt<Result>(parse: () => Result): Result | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

/** Every getter of every row must hold for whatever was parsed. */
function walk(result: SsResult | undefined): string {
  if (result === undefined) return 'no ss output';
  const { sockets, gaps } = result;
  const row = sockets.cursor();
  let text = JSON.stringify(gaps);
  for (row.index = 0; row.index < sockets.length; row.index++)
    text += JSON.stringify([
      row.protocol,
      row.state,
      row.local,
      row.remote,
      row.queues,
      row.cookie,
      row.owners,
      row.timer,
      row.inode,
    ]);
  return text;
}

function inSmallChunks(bytes: Uint8Array): SsResult {
  const parser = new SsParser();
  for (let at = 0, length = 1; at < bytes.length; at += length, length = (length * 7 + 3) % 97 || 1)
    parser.write(bytes.slice(at, at + length));
  return parser.end();
}

function runSs(bytes: Uint8Array): void {
  const whole = walk(attempt(() => parseSs(bytes)));
  const chunked = walk(attempt(() => inSmallChunks(bytes)));
  if (whole !== chunked) throw new Error('the result depends on where the chunks end');
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const procTarget = (file: 'tcp' | 'tcp6' | 'udp' | 'unix'): FuzzTarget => ({
  name: `parse/proc/net ${file}`,
  samples: filesOf('proc', new RegExp(`proc_net_${file}\\.`)),
  run: (bytes) => void walk(attempt(() => parseProcNet({ [file]: bytes }))),
});

export const fuzzTargets: readonly FuzzTarget[] = [
  { name: 'parse/ss', samples: filesOf('ss', /\.txt$/), run: runSs },
  ...(['tcp', 'tcp6', 'udp', 'unix'] as const).map(procTarget),
  {
    name: 'parse/proc/counters',
    samples: filesOf('proc', /netstat|snmp/),
    run: (bytes) => void attempt(() => parseCounters(textOf(bytes), '')),
  },
  {
    name: 'parse/proc/services',
    samples: () => [new TextEncoder().encode('http 80/tcp www # web\n')],
    run: (bytes) => void parseServices(textOf(bytes)),
  },
];
