import { execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type * as helper from '../../src/collect/beat-helper.js';
import type { ListenBatch } from '../../src/collect/listen-task.js';
import type { Crowd } from './crowd.js';
import { type LiveFigures, measureLive } from './live.js';

const here = fileURLToPath(import.meta.url);
const say = (text: string) => process.stdout.write(`${text}\n`);
const LISTENERS = [1, 100, 1000];
const SECONDS = 10;
const WARM_UP_MS = 2000;
const PERIOD_MS = 10;

/** What sampling alone costs, without looks and without a screen. */
interface AloneFigures {
  readonly listeners: number;
  /** Share of one core, of the whole process. */
  readonly cpu: number;
  /** The same without what waking up a hundred times a second costs. */
  readonly asking: number;
  readonly rateHz: number;
  readonly longestGapMs: number;
}

interface SamplingFigures {
  readonly alone: readonly AloneFigures[];
  readonly live: { readonly on: LiveFigures; readonly off: LiveFigures };
}

/** Sampling at 100 Hz by itself, and `live` with and without it, in a namespace full of sockets. */
export async function measureSampling(crowd: Crowd, cli: string, seconds: number): Promise<SamplingFigures> {
  say(`\nsampling listeners at 100 Hz, ${crowd.sockets.toLocaleString('en')} sockets`);
  const alone = LISTENERS.map((listeners) => {
    const [file = '', ...args] = crowd.enter([process.execPath, '--import', 'tsx', here, String(listeners)]);
    const figures = JSON.parse(execFileSync(file, args, { encoding: 'utf8' })) as AloneFigures;
    const { cpu, asking, rateHz, longestGapMs } = figures;
    say(
      `${String(listeners).padStart(5)} listeners: ${percent(cpu)} of a core (asking the kernel ${percent(asking)}), ${rateHz.toFixed(0)} Hz reached, ${longestGapMs.toFixed(0)} ms apart at most`,
    );
    return figures;
  });
  const off = await measureLive(crowd, cli, seconds, ['--sample-rate', '0']);
  const on = await measureLive(crowd, cli, seconds, ['--sample-rate', '100']);
  say(
    `live at 1 s: ${percent(on.cpu)} of a core with sampling, ${percent(off.cpu)} without: ${(on.cpu / off.cpu).toFixed(2)} times, ${percent(on.cpu - off.cpu)} more`,
  );
  return { alone, live: { on, off } };
}

const percent = (share: number) => `${(share * 100).toFixed(2)} %`;

/** As it is installed: the thread starts from a compiled file. */
const built = (): Promise<typeof helper> =>
  import(new URL('../../dist/collect/beat-helper.js', import.meta.url).href);

async function measureAlone(listeners: number): Promise<AloneFigures> {
  const servers: Server[] = [];
  for (let count = 0; count < listeners; count++) {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
  }
  const { BeatHelper } = await built();
  const shares = { share: 0.012, together: 0.1 };
  const specs = [{ kind: 'listeners', key: 'tcp', family: 'tcp', netns: undefined, ...shares } as const];
  const thread = new BeatHelper({ specs, periodMs: PERIOD_MS });
  await sleep(WARM_UP_MS);
  await thread.take();
  const cpu = process.cpuUsage();
  await sleep(SECONDS * 1000);
  const answer = await thread.take();
  const { user, system } = process.cpuUsage(cpu);
  const batch = answer?.told[0]?.batch as ListenBatch | undefined;
  if (batch === undefined) throw new Error('the thread of beats gave no answer');
  await thread.end();
  for (const server of servers) server.close();
  return {
    listeners,
    cpu: (user + system) / 1e6 / SECONDS,
    asking: batch.costMs / 1000 / SECONDS,
    rateHz: ((batch.looks - 1) * 1000) / (batch.to - batch.from),
    longestGapMs: batch.longestGapMs,
  };
}

if (process.argv[1] === here)
  process.stdout.write(JSON.stringify(await measureAlone(Number(process.argv[2]))));
