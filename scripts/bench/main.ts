import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseSs } from '../../src/parse/ss/index.js';
import { measureCaptures } from './captures.js';
import { measureCheck } from './check.js';
import { measureClosed } from './closed.js';
import { type Crowd, gatherCrowd } from './crowd.js';
import { type LiveFigures, measureLive } from './live.js';
import { summarise, type Times } from './measure.js';
import { measureNetlink } from './netlink.js';
import { measureOwners } from './owners.js';
import { measureRecording } from './recording.js';
import { measureSampling } from './sampling.js';
import { raceSizes, raceSnapshots } from './snapshot.js';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '50000' },
    seconds: { type: 'string', default: '120' },
    runs: { type: 'string', default: '5' },
    json: { type: 'string' },
    only: { type: 'string' },
  },
});
const cli = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const say = (text: string) => process.stdout.write(`${text}\n`);
const wants = (part: string) => values.only === undefined || values.only === part;

const captures = wants('pcap') ? { pcap: await measureCaptures(cli, Number(values.runs)) } : {};
const closed = wants('closed') ? { closed: measureClosed() } : {};
const recording = wants('recording')
  ? { recording: await measureRecording(), busyRecording: await measureRecording(1) }
  : {};
const sizes = wants('sizes') ? { sizes: await raceSizes(cli, Number(values.runs)) } : {};
const isAlone = ['pcap', 'recording', 'sizes', 'closed'].includes(values.only ?? '');
const crowd = isAlone ? undefined : await gatherCrowd(Number(values.connections));
try {
  const figures = {
    ...captures,
    ...recording,
    ...closed,
    ...sizes,
    ...(crowd !== undefined && (await socketFigures(crowd))),
  };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
} finally {
  await crowd?.end();
}

async function socketFigures(crowd: Crowd) {
  return {
    sockets: crowd.sockets,
    ...(wants('snapshot') && { snapshot: raceSnapshots(crowd, cli, Number(values.runs)) }),
    ...(wants('check') && { check: measureCheck(crowd, cli, Number(values.runs)) }),
    ...(wants('netlink') && { netlink: measureNetlink(crowd) }),
    ...(wants('owners') && { owners: await measureOwners(crowd) }),
    ...(wants('parser') && { parser: measureParser(crowd) }),
    ...(wants('sampling') && { sampling: await measureSampling(crowd, cli, Number(values.seconds)) }),
    ...(wants('live') && { live: reportLive(await measureLive(crowd, cli, Number(values.seconds))) }),
  };
}

function measureParser(crowd: Crowd) {
  const figures: Record<string, { bytes: number; ms: Times; megabytesPerSecond: number }> = {};
  say('\nparser, in process');
  for (const flags of ['-tan', '-tanimoeOH']) {
    const [file = '', ...args] = crowd.enter(['ss', flags]);
    const text = execFileSync(file, args, { maxBuffer: 1 << 30 });
    const runs = Array.from({ length: Number(values.runs) + 1 }, () => {
      const start = performance.now();
      parseSs(text);
      return performance.now() - start;
    });
    const ms = summarise(runs.slice(1));
    const megabytesPerSecond = text.length / 1e3 / ms.median;
    figures[`ss ${flags}`] = { bytes: text.length, ms, megabytesPerSecond };
    say(
      `ss ${flags}: ${(text.length / 1e6).toFixed(1)} MB in ${ms.median.toFixed(0)} ms, ${megabytesPerSecond.toFixed(0)} MB/s`,
    );
  }
  return figures;
}

function reportLive(figures: LiveFigures): LiveFigures {
  const { seconds, cpu, peakRssMegabytes, keyMs, bytesPerSecond } = figures;
  say(`\nlive --interval 1s, 120x40, ${seconds.toFixed(0)} s`);
  say(`CPU ${(cpu * 100).toFixed(1)} % of a core (ss included), peak RSS ${peakRssMegabytes.toFixed(0)} MB`);
  say(
    `key to screen: median ${keyMs.median.toFixed(1)} ms, max ${keyMs.max.toFixed(1)} ms; ${(bytesPerSecond / 1e3).toFixed(1)} kB/s to the terminal`,
  );
  return figures;
}
