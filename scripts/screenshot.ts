// npm run screenshot: draws docs/live.svg and docs/live.png from the real program, during a real overflow of nginx. Needs root, nginx and wrk.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Resvg } from '@resvg/resvg-js';
import { Namespace } from '../test/support/netns.js';
import { startNginx, startWrk } from '../test/support/nginx.js';
import { PtyTerminal } from '../test/support/pty-terminal.js';
import { renderSvg } from './screenshot/svg.js';

const BUSY_PORT = 8080;
const BACKLOG = 128;
const docs = fileURLToPath(new URL('../docs/', import.meta.url));
const cli = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const namespace = new Namespace();
try {
  const { worker } = await startNginx(namespace, BUSY_PORT, BACKLOG);
  startWrk(namespace, BUSY_PORT, 60);
  const [program, words] = namespace.enter(process.execPath, [cli, 'live']);
  const screen = new PtyTerminal(program, words, { columns: 120, rows: 40 });
  // Twenty seconds of a healthy server, then its only worker stops and more clients come than the queue holds.
  await sleep(20_000);
  process.kill(worker, 'SIGSTOP');
  startWrk(namespace, BUSY_PORT, 100);
  await screen.waitFor(/overflow/i, 30_000);
  await sleep(4_000);
  const svg = renderSvg(screen.terminal);
  mkdirSync(docs, { recursive: true });
  writeFileSync(`${docs}live.svg`, svg);
  const png = new Resvg(svg, {
    font: { defaultFontFamily: 'DejaVu Sans Mono' },
    fitTo: { mode: 'zoom', value: 1.5 },
  }).render();
  writeFileSync(`${docs}live.png`, png.asPng());
  screen.write('q');
  await screen.waitForExit();
} finally {
  await namespace.remove();
}
